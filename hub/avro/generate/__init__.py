"""Makes `hub/avro/records`, `hub/avro/body` and `hub/avro/bodies.py` from schemas/: `make records`."""
