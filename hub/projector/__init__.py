"""The role `projector`: from Kafka to the tables of the read model; ratings of a month that are due."""
