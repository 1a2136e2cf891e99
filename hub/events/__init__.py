"""Events: the CloudEvents envelope, the families, what makes an event one and the same."""
