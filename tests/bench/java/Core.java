import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.text.Normalizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Pattern;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;

/**
 * What the hub's core does to a dossier's step, for input in order: envelope, text and codes checked, copies dropped by
 * a ring of 64, the step judged and the facts merged by event time, number and derived id given, state and event written.
 */
final class Core extends ContextualProcessor<byte[], byte[], byte[], byte[]> {
    private static final int RING = 64 * 12;
    private static final int KEEP = 16;
    private static final byte[] NAMESPACE = bytes(UUID.fromString("6f0f6c0e-7f5a-5c1c-9a54-3b8f5ad8f0aa"));
    private static final Pattern AGENCY = Pattern.compile("[A-Z]\\d{2}(\\.[0-9A-Z]+)*");
    private static final Pattern PROCEDURE = Pattern.compile("\\d\\.\\d{6}(\\.\\d{3}\\.\\d{2}\\.\\d{2}\\.[A-Z]\\d{2}|\\.[A-Z]\\d{2})?");
    private static final Pattern DOSSIER = Pattern.compile("[0-9A-Z.]+-(\\d{8}|\\d{6})-\\d{4,}");
    private static final List<String> FACTS = List.of(
        "procedure_code", "procedure_name", "field_code", "field_name", "agency_code", "receiving_agency_code",
        "agency_name", "abstract", "channel", "received_at", "due_at", "finished_at", "returned_at", "submitted_at",
        "receipt_number", "filed_at_portal", "return_by_post", "return_note", "remark", "online_payment");
    private static final List<String> APPLICANT = List.of(
        "name", "kind", "identity_number", "national_account", "address", "email", "phone", "fax", "other", "vneid_verified");
    private static final int RECEIVED_AT = FACTS.indexOf("received_at");
    private static final int KEYS = 1 + 20 + 10;

    private final Wire step, dossier, event;
    private final Lifecycle lifecycle;
    private final MessageDigest sha1, sha256;
    private final Schema statusSchema, holderSchema;
    private KeyValueStore<byte[], byte[]> store;

    Core(Map<String, Wire> wires, Lifecycle lifecycle) {
        this.step = wires.get("vn.hub.DossierStep");
        this.dossier = wires.get("vn.hub.Dossier");
        this.event = wires.get("vn.hub.DossierEvent");
        this.lifecycle = lifecycle;
        this.statusSchema = dossier.schema.getField("status").schema();
        this.holderSchema = event.schema.getField("dossier").schema();
        try {
            this.sha1 = MessageDigest.getInstance("SHA-1");
            this.sha256 = MessageDigest.getInstance("SHA-256");
        } catch (GeneralSecurityException error) {
            throw new IllegalStateException(error);
        }
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
        super.init(context);
        store = context.getStateStore("dossiers");
    }

    @Override
    public void process(Record<byte[], byte[]> record) {
        try {
            work(record);
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    private void work(Record<byte[], byte[]> record) throws IOException {
        String id = null, source = null, type = null;
        for (Header header : record.headers()) {
            String value = new String(header.value(), StandardCharsets.UTF_8);
            switch (header.key()) {
                case "ce_id" -> id = value;
                case "ce_source" -> source = value;
                case "ce_type" -> type = value;
                default -> { }
            }
        }
        if (id == null || source == null || !"vn.hub.dossier.step".equals(type)) throw new IllegalStateException("envelope");
        GenericRecord given = step.read(record.value());
        normalise(given, record);
        byte[] who = Arrays.copyOf(sha256.digest((source + '\u001f' + id).getBytes(StandardCharsets.UTF_8)), 8);
        sha256.update(record.value(), Wire.HEAD, record.value().length - Wire.HEAD);
        byte[] what = Arrays.copyOf(sha256.digest(), 4);

        byte[] stored = store.get(record.key());
        State state = stored == null ? fresh(given.get("dossier_code").toString()) : State.read(stored, dossier);
        if (state.isCopy(who, what)) return;
        long at = (Long) given.get("occurred_at");
        int rank = lifecycle.rank.get(given.get("step").toString());
        long key = at << 21 | (long) rank << 16 | (who[0] & 0xFF) << 8 | (who[1] & 0xFF);
        judge(state, key, rank, at);
        merge(state, given, key);
        state.seq++;
        state.datum.put("hub_seq", state.seq);
        GenericData.EnumSymbol status = new GenericData.EnumSymbol(statusSchema, lifecycle.statuses[state.status]);
        state.datum.put("status", status);
        state.datum.put("status_at", state.since);
        derive(state, rank, at);
        state.remember(who, what);
        store.put(record.key(), state.write(dossier));

        GenericRecord made = new GenericData.Record(event.schema);
        made.put("hub_seq", state.seq);
        made.put("late", false);
        made.put("status", status);
        made.put("step", given);
        made.put("dossier", state.datum);
        context().forward(new Record<>(record.key(), event.write(made), record.timestamp(), headers(record.headers(), source, id, state.seq)));
    }

    private void normalise(GenericRecord given, Record<byte[], byte[]> record) {
        for (Schema.Field field : given.getSchema().getFields()) tidy(given, field);
        if (given.get("handler") instanceof GenericRecord inner)
            for (Schema.Field field : inner.getSchema().getFields()) tidy(inner, field);
        if (given.get("applicant") instanceof GenericRecord inner)
            for (Schema.Field field : inner.getSchema().getFields()) tidy(inner, field);
        long at = (Long) given.get("occurred_at");
        if (at < 100_000_000_000L || at > record.timestamp() + 86_400_000L) throw new IllegalStateException("date");
        for (String name : List.of("agency_code", "receiving_agency_code", "transferred_to"))
            if (given.get(name) != null && !AGENCY.matcher((CharSequence) given.get(name)).matches()) throw new IllegalStateException(name);
        if (given.get("procedure_code") != null && !PROCEDURE.matcher((CharSequence) given.get("procedure_code")).matches())
            throw new IllegalStateException("procedure_code");
        if (!Arrays.equals(given.get("dossier_code").toString().getBytes(StandardCharsets.UTF_8), record.key())) throw new IllegalStateException("key");
    }

    private static void tidy(GenericRecord datum, Schema.Field field) {
        if (datum.get(field.pos()) instanceof CharSequence text) {
            String value = text.toString();
            datum.put(field.pos(), value.isBlank() ? null : Normalizer.isNormalized(value, Normalizer.Form.NFC) ? value : Normalizer.normalize(value, Normalizer.Form.NFC));
        }
    }

    private void judge(State state, long key, int rank, long at) {
        if (state.count > 0 && key < state.steps[state.count - 1]) throw new IllegalStateException("the benchmark's input is in order");
        if ((state.mask & lifecycle.barredBefore[rank]) != 0) throw new IllegalStateException("transition");
        if (!lifecycle.neutral[rank]) {
            int now = lifecycle.status[state.rest][rank];
            state.rest = lifecycle.rest[state.rest][rank];
            state.mask |= 1 << rank;
            if (now != state.status) state.since = at;
            state.status = now;
        }
        if (state.count == KEEP) System.arraycopy(state.steps, 1, state.steps, 0, --state.count);
        state.steps[state.count++] = key;
    }

    private void merge(State state, GenericRecord given, long key) {
        GenericRecord datum = state.datum;
        for (int i = 0; i < FACTS.size(); i++) {
            Object value = given.get(FACTS.get(i));
            if (value != null && key >= state.keys[1 + i]) {
                datum.put(FACTS.get(i), value);
                state.keys[1 + i] = key;
            }
        }
        if (given.get("transferred_to") != null && key >= state.keys[0]) {
            datum.put("holder_agency_code", given.get("transferred_to"));
            datum.put("holder_since", given.get("occurred_at"));
            datum.put("holder_due_at", given.get("step_due_at"));
            state.keys[0] = key;
        }
        if (given.get("applicant") instanceof GenericRecord theirs) {
            GenericRecord ours = (GenericRecord) datum.get("applicant");
            if (ours == null) datum.put("applicant", ours = new GenericData.Record(theirs.getSchema()));
            for (int i = 0; i < APPLICANT.size(); i++) {
                Object value = theirs.get(APPLICANT.get(i));
                if (value != null && key >= state.keys[21 + i]) {
                    ours.put(APPLICANT.get(i), value);
                    state.keys[21 + i] = key;
                }
            }
        }
        unite(datum, given, "attachments", "id");
        unite(datum, given, "fees", "code");
    }

    /** Nobody told when it was received: then the first receipt tells, if it made the dossier ACCEPTED. */
    private void derive(State state, int rank, long at) {
        GenericRecord datum = state.datum;
        boolean told = state.keys[1 + RECEIVED_AT] != 0;
        if (!told && datum.get("received_at") == null && rank == lifecycle.rank.get("RECEIVED")
                && "ACCEPTED".equals(lifecycle.statuses[state.status]))
            datum.put("received_at", at);
        datum.put("received_at_derived", !told && datum.get("received_at") != null ? Boolean.TRUE : null);
    }

    @SuppressWarnings("unchecked")
    private static void unite(GenericRecord datum, GenericRecord given, String name, String identity) {
        List<GenericRecord> theirs = (List<GenericRecord>) given.get(name);
        if (theirs.isEmpty()) return;
        List<GenericRecord> all = new ArrayList<>((List<GenericRecord>) datum.get(name));
        for (GenericRecord item : theirs) {
            all.removeIf(known -> known.get(identity).toString().equals(item.get(identity).toString()));
            all.add(item);
        }
        all.sort((a, b) -> a.get(identity).toString().compareTo(b.get(identity).toString()));
        datum.put(name, all);
    }

    private Headers headers(Headers given, String source, String id, long seq) {
        String derived = uuid5(source + '\u001f' + id + '\u001f' + "vn.hub.dossier.event" + '\u001f');
        RecordHeaders out = new RecordHeaders();
        for (Header header : given) {
            switch (header.key()) {
                case "ce_id" -> out.add("ce_id", derived.getBytes(StandardCharsets.US_ASCII));
                case "ce_type" -> out.add("ce_type", "vn.hub.dossier.event".getBytes(StandardCharsets.US_ASCII));
                default -> out.add(header);
            }
        }
        out.add("ce_causationid", id.getBytes(StandardCharsets.UTF_8));
        out.add("hub_seq", Long.toString(seq).getBytes(StandardCharsets.US_ASCII));
        return out;
    }

    private String uuid5(String name) {
        sha1.update(NAMESPACE);
        ByteBuffer hash = ByteBuffer.wrap(sha1.digest(name.getBytes(StandardCharsets.UTF_8)));
        return new UUID(hash.getLong() & ~0xF000L | 0x5000L, hash.getLong() & 0x3FFFFFFFFFFFFFFFL | 0x8000000000000000L).toString();
    }

    private static byte[] bytes(UUID id) {
        return ByteBuffer.allocate(16).putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits()).array();
    }

    private State fresh(String code) {
        if (!DOSSIER.matcher(code).matches()) throw new IllegalStateException("dossier_code");
        State state = new State();
        state.datum = new GenericData.Record(holderSchema);
        state.datum.put("dossier_code", code);
        state.datum.put("attachments", List.of());
        state.datum.put("fees", List.of());
        state.rest = lifecycle.unknown;
        state.status = lifecycle.unknown;
        return state;
    }

    /** One dossier as it stands in the store. */
    private static final class State {
        long seq, since;
        int mask, rest, status, count;
        final long[] steps = new long[KEEP];
        final long[] keys = new long[KEYS];
        byte[] ring = new byte[0];
        GenericRecord datum;

        boolean isCopy(byte[] who, byte[] what) {
            for (int at = 0; at < ring.length; at += 12)
                if (Arrays.equals(ring, at, at + 8, who, 0, 8)) {
                    if (!Arrays.equals(ring, at + 8, at + 12, what, 0, 4)) throw new IllegalStateException("conflict");
                    return true;
                }
            return false;
        }

        void remember(byte[] who, byte[] what) {
            int from = ring.length == RING ? 12 : 0;
            byte[] grown = Arrays.copyOfRange(ring, from, ring.length + 12);
            System.arraycopy(who, 0, grown, grown.length - 12, 8);
            System.arraycopy(what, 0, grown, grown.length - 4, 4);
            ring = grown;
        }

        byte[] write(Wire wire) throws IOException {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream(2048);
            DataOutputStream out = new DataOutputStream(bytes);
            out.writeLong(seq);
            out.writeLong(since);
            out.writeInt(mask);
            out.writeByte(rest);
            out.writeByte(status);
            out.writeByte(count);
            for (int i = 0; i < count; i++) out.writeLong(steps[i]);
            for (long key : keys) out.writeLong(key);
            out.writeShort(ring.length);
            out.write(ring);
            out.write(wire.write(datum));
            return bytes.toByteArray();
        }

        static State read(byte[] value, Wire wire) throws IOException {
            ByteArrayInputStream bytes = new ByteArrayInputStream(value);
            DataInputStream in = new DataInputStream(bytes);
            State state = new State();
            state.seq = in.readLong();
            state.since = in.readLong();
            state.mask = in.readInt();
            state.rest = in.readByte();
            state.status = in.readByte();
            state.count = in.readByte();
            for (int i = 0; i < state.count; i++) state.steps[i] = in.readLong();
            for (int i = 0; i < KEYS; i++) state.keys[i] = in.readLong();
            state.ring = in.readNBytes(in.readShort());
            state.datum = wire.read(in.readAllBytes());
            return state;
        }
    }
}
