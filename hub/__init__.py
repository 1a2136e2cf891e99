from hub import compiled

compiled.install()
