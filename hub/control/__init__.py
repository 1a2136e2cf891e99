"""Who takes part: organisations, subscribers, keys, rights, secrets; the topic `hub.control` and its local copy."""
