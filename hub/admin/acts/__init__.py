"""Every act of an operator, once: input, right, preview, run, result, audit. CLI, HTTP and console call these."""
