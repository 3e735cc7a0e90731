"""The page's files: plain HTML, CSS and ES modules, served as they are.

Temml (``temml.js``, MIT) turns LaTeX into MathML. Its file is ``temml.min.js`` of the npm package
temml 0.13.5 with an ``export`` at its end; ``temml.LICENSE`` is its licence.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import NamedTuple

ASSETS = Path(__file__).parent / "assets"

STYLES = ("base.css", "run.css", "temml.css")
"""The style sheets, in the order in which they apply."""

_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".LICENSE": "text/plain; charset=utf-8",
}

HEADERS = {
    "cache-control": "no-cache",
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
"""The headers of every file: the page loads and runs its own files alone, and makes no markup."""


class Asset(NamedTuple):
    """A file of the page: its bytes, its content type, and its ``ETag``."""

    body: bytes
    kind: str
    tag: str


@cache
def asset(name: str) -> Asset | None:
    """The file of this name; None if the page has no such file."""
    if name not in _names():
        return None
    file = ASSETS / name
    body = file.read_bytes()
    return Asset(body, _KINDS[file.suffix], f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def text_of(name: str) -> str:
    """The text of a file that the page has."""
    return (ASSETS / name).read_text(encoding="utf-8")


@cache
def _names() -> frozenset[str]:
    return frozenset(file.name for file in ASSETS.iterdir())
