"""`hub demo`: the main job on real input, then the domain on a generated province."""
