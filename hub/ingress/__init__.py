"""What all doors share: who may say what, and from JSON to a record of `hub.ingress`."""
