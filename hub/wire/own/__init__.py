"""The hub's own records as Avro, by readers and writers put together from their schemas."""
