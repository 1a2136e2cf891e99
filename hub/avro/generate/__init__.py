"""Makes `hub/avro/records`, `hub/avro/doors`, `hub/avro/body`, `hub/avro/bodies.py` from schemas/: `make records`."""
