"""Kafka: clients, topics, rights, batches, copies of compacted topics."""
