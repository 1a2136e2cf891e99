"""The commands `hub …`, one module each."""
