"""What the hub needs of its machine: ports, child processes, files that survive a kill, the collector."""
