import com.fasterxml.jackson.databind.JsonNode;
import java.util.HashMap;
import java.util.Map;

/** The hub's lifecycle as the tables that hub.model.lifecycle derives, handed over by the harness. */
final class Lifecycle {
    final Map<String, Integer> rank = new HashMap<>();
    String[] statuses;
    int[] barredBefore;
    int[][] rest;
    int[][] status;
    boolean[] neutral;
    int unknown;

    static Lifecycle read(JsonNode node) {
        Lifecycle made = new Lifecycle();
        node.get("rank").fields().forEachRemaining(f -> made.rank.put(f.getKey(), f.getValue().asInt()));
        made.statuses = new String[node.get("statuses").size()];
        for (int i = 0; i < made.statuses.length; i++) made.statuses[i] = node.get("statuses").get(i).asText();
        made.barredBefore = ints(node.get("barred_before"));
        made.rest = rows(node.get("rest"));
        made.status = rows(node.get("status"));
        made.neutral = new boolean[made.rank.size()];
        node.get("neutral").forEach(n -> made.neutral[n.asInt()] = true);
        made.unknown = node.get("unknown").asInt();
        return made;
    }

    private static int[] ints(JsonNode node) {
        int[] out = new int[node.size()];
        for (int i = 0; i < out.length; i++) out[i] = node.get(i).asInt();
        return out;
    }

    private static int[][] rows(JsonNode node) {
        int[][] out = new int[node.size()][];
        for (int i = 0; i < out.length; i++) out[i] = ints(node.get(i));
        return out;
    }
}
