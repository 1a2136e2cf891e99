"""Avro schemas (`vn.hub.*.avsc`, one named type a file) and reference data; read through `importlib.resources`."""
