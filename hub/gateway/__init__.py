"""The role `gateway`: HTTP in, for agencies' events, for operators, and for portals that call."""
