"""Models on servers and in this process, each asked in its own dialect."""
