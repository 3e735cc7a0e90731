"""Which web pages may read the gateway's responses (CORS)."""

from __future__ import annotations

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

_OWN_PAGES = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?"


def readable_by_pages(
    app: ASGIApp, origins: tuple[str, ...] | None, *, is_local: bool
) -> CORSMiddleware:
    """Let the pages of these origins send requests and read responses, without cookies.

    Without ``origins`` those are this machine's pages if only this machine can reach the gateway,
    and otherwise all pages, since requests then need a key. Pages of the internet may ask a gateway
    in a private network only if their origin is configured: some routes need no key.
    """
    if origins is None:
        origins = () if is_local else ("*",)
        own = _OWN_PAGES if is_local else None
        private = False
    else:
        own, private = None, True
    return CORSMiddleware(
        app,
        allow_origins=origins,
        allow_origin_regex=own,
        allow_methods=("GET", "POST"),
        allow_headers=("*",),
        expose_headers=("*",),
        allow_private_network=private,
    )
