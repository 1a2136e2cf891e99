"""The owner of one delivery partition: plain Python, no I/O and no clock; it says what to write and what to send."""
