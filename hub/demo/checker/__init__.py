"""What the demo must have brought about, computed from what was sent and counted in what the portals hold.

Nothing here imports from the hub but its siblings.
"""
