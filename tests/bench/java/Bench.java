import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.avro.generic.GenericRecord;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.processor.api.ContextualProcessor;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.Stores;

/** Kafka Streams as a contender: `Bench transform|core spec.json`. One stream thread, at least once. */
public final class Bench {
    public static void main(String[] args) throws Exception {
        JsonNode spec = new ObjectMapper().readTree(Files.readString(Path.of(args[1])));
        Map<String, String> texts = new HashMap<>();
        Map<String, Integer> ids = new HashMap<>();
        spec.get("schemas").fields().forEachRemaining(f -> texts.put(f.getKey(), f.getValue().asText()));
        spec.get("ids").fields().forEachRemaining(f -> ids.put(f.getKey(), f.getValue().asInt()));

        Topology topology = new Topology();
        topology.addSource("in", spec.get("source").asText());
        if (args[0].equals("transform")) {
            topology.addProcessor("work", () -> new Transform(Wire.all(texts, ids).get("vn.hub.DossierStep")), "in");
        } else {
            Lifecycle lifecycle = Lifecycle.read(spec.get("lifecycle"));
            topology.addProcessor("work", () -> new Core(Wire.all(texts, ids), lifecycle), "in");
            topology.addStateStore(
                Stores.keyValueStoreBuilder(
                    Stores.persistentKeyValueStore("dossiers"), Serdes.ByteArray(), Serdes.ByteArray()),
                "work");
        }
        topology.addSink("out", spec.get("sink").asText(), "work");

        KafkaStreams streams = new KafkaStreams(topology, properties(spec));
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
        });
        Runtime.getRuntime().addShutdownHook(new Thread(() -> streams.close(Duration.ofSeconds(4))));
        streams.start();
    }

    private static Properties properties(JsonNode spec) {
        Properties p = new Properties();
        p.put(StreamsConfig.APPLICATION_ID_CONFIG, spec.get("group").asText());
        p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, spec.get("bootstrap").asText());
        p.put(StreamsConfig.STATE_DIR_CONFIG, spec.get("folder").asText());
        p.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        p.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.ByteArraySerde.class);
        p.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        p.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 500);
        p.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
        p.put(StreamsConfig.producerPrefix(ProducerConfig.BATCH_SIZE_CONFIG), 262_144);
        p.put(StreamsConfig.producerPrefix(ProducerConfig.LINGER_MS_CONFIG), 20);
        return p;
    }

    /** The work of benchmark `transform`. */
    static final class Transform extends ContextualProcessor<byte[], byte[], byte[], byte[]> {
        private final Wire wire;

        Transform(Wire wire) {
            this.wire = wire;
        }

        @Override
        public void process(Record<byte[], byte[]> record) {
            try {
                GenericRecord datum = wire.read(record.value());
                datum.put("remark", datum.get("step") + " " + datum.get("dossier_code"));
                datum.put("step_started_at", datum.get("occurred_at"));
                context().forward(record.withValue(wire.write(datum)));
            } catch (IOException error) {
                throw new IllegalStateException(error);
            }
        }
    }
}
