"""What a process tells of itself: metrics, health, logs, and the port where they are read."""
