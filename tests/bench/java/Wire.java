import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericDatumReader;
import org.apache.avro.generic.GenericDatumWriter;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.io.BinaryDecoder;
import org.apache.avro.io.BinaryEncoder;
import org.apache.avro.io.DecoderFactory;
import org.apache.avro.io.EncoderFactory;

/** Avro in Confluent wire format for one record type; used by one thread. */
final class Wire {
    static final int HEAD = 5;
    final Schema schema;
    private final byte[] head;
    private final GenericDatumReader<GenericRecord> reader;
    private final GenericDatumWriter<GenericRecord> writer;
    private final ByteArrayOutputStream out = new ByteArrayOutputStream(4096);
    private BinaryDecoder decoder;
    private BinaryEncoder encoder;

    Wire(Schema schema, int id) {
        this.schema = schema;
        this.head = ByteBuffer.allocate(HEAD).put((byte) 0).putInt(id).array();
        this.reader = new GenericDatumReader<>(schema);
        this.writer = new GenericDatumWriter<>(schema);
    }

    GenericRecord read(byte[] value) throws IOException {
        decoder = DecoderFactory.get().binaryDecoder(value, HEAD, value.length - HEAD, decoder);
        return reader.read(null, decoder);
    }

    byte[] write(GenericRecord datum) throws IOException {
        out.reset();
        out.write(head);
        encoder = EncoderFactory.get().binaryEncoder(out, encoder);
        writer.write(datum, encoder);
        encoder.flush();
        return out.toByteArray();
    }

    /** The project's schemas, record name to wire, from the texts and ids in the specification. */
    static Map<String, Wire> all(Map<String, String> texts, Map<String, Integer> ids) {
        Map<String, Wire> found = new HashMap<>();
        texts.forEach((name, text) -> found.put(name, new Wire(new Schema.Parser().parse(text), ids.get(name))));
        return found;
    }
}
