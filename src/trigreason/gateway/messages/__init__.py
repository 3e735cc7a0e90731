"""``POST /v1/messages``, Anthropic's API: its requests, its responses and its errors."""
