"""``POST /v1/responses``: what may be asked, and how it is answered."""
