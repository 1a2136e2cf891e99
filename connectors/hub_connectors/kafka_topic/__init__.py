"""A subscriber that reads from Kafka: its own topic `hub.out.<subscriber>`, filtered, personal data minimised."""

from hub_connectors.kafka_topic.portal import KafkaTopicPortal, portal

__all__ = ["KafkaTopicPortal", "portal"]
