"""What the simulators share: a real HTTP server that can be told to fail, and a store that keeps all it got."""
