"""``POST /v1/chat/completions``: its requests and its responses."""
