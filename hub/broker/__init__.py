"""The role `broker`: one real Kafka node for a hub without a cluster, with its jars and its Java."""
