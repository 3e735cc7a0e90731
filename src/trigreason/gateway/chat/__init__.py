"""``POST /v1/chat/completions``: what may be asked, and how it is answered."""
