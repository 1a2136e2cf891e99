"""What several connectors need to speak HTTP outward: calls with verdicts, and a subscriber's settings and secrets."""
