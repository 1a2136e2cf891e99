"""The hub's records as typed objects, and as Avro: `records` and `body` are made from schemas/ by `make records`."""
