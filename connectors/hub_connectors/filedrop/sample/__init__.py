"""Sample data and the mappings of the demo's agencies; see README.md."""
