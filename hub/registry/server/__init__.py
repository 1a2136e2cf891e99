"""The role `registry`: the embedded schema registry, with Confluent's REST face."""
