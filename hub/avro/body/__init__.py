"""The records' Avro bodies, read and written. Made by `make records` from schemas/; not edited by hand."""
