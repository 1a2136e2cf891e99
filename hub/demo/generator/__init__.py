"""`hub generate`: the events of a made-up province."""
