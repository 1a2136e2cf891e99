"""The read model: SQL tables and what is asked of them. Disposable, rebuilt from Kafka."""
