"""``POST /v1/responses``: its requests and its responses."""
