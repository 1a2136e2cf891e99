"""`hub up` and `hub run`: roles as processes, started in order, restarted, stopped."""
