"""What operators do and ask, for CLI and HTTP: subscribers, organisations, dead letters, trace, status, checks."""
