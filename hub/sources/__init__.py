"""The role `source:<name>`: what a connector pulls or watches, into the hub."""
