"""What is held frozen. Each module here is a part: `outputs()` makes its files from fixed inputs."""
