r"""Strips LaTeX and Markdown formatting from an answer."""

from __future__ import annotations

import re

_FONTS = (
    r"\\(?:text|textbf|textit|textrm|texttt|textsf|mathrm|mathbf|mathit|mathsf|mathtt|mbox|"
    r"boldsymbol|bm|emph|underline|operatorname|fbox|boxed)(?![A-Za-z])"
)
_DRESS = re.compile(_FONTS + r"\s*\{([^{}]*)\}")
_UNBRACED = re.compile(_FONTS)
_COLOUR = re.compile(r"\\(?:textcolor|color|colorbox)\s*\{[^{}]*\}")
_SPACES = re.compile(r"\\\\|\\newline\b|\\[,;:> ]|\\q?quad\b|~|\s")
r"""Python's ``\s`` includes the thin and the unbreakable space."""
_NOTHING = re.compile(
    r"\\!|\\(?:left|right|displaystyle|textstyle|rm|bf|it|tt|sf|"
    r"tiny|small|normalsize|large|Large|LARGE|huge|Huge)(?![A-Za-z])|(?<!\\)\$|\\[()\[\]]|"
    r"(?<![0-9])\*{2,3}|\*{2,3}(?![0-9])|__|`"
)
_GROUP = re.compile(r"(?<![\\^_A-Za-z}\]])\{([^{}\\]*)\}")
_ESCAPED = re.compile(r"\\([&%#_$])")
_QUOTES = "\"'\u201c\u201d\u2018\u2019"
_MINUS = "\N{MINUS SIGN}"
_NESTING = 4
r"""How many levels of nested formatting, as in ``\text{\textbf{...}}``, are removed."""


def plain(text: str) -> str:
    r"""The text without formatting commands, math delimiters, quotes around it and a full stop.

    Each run of white space becomes one space; ``1{,}024`` becomes ``1,024``, ``\&`` becomes ``&``.
    """
    text = text.replace("{,}", ",").replace(_MINUS, "-")
    text = _COLOUR.sub("", _NOTHING.sub("", text))
    for _ in range(_NESTING):
        text, count = _DRESS.subn(r"\1", text)
        if not count:
            break
    text = _GROUP.sub(r"\1", _UNBRACED.sub(" ", text))
    text = _ESCAPED.sub(r"\1", text)
    text = " ".join(_SPACES.sub(" ", text).split())
    while len(text) > 1 and text[0] + text[-1] in ("{}", "**"):
        text = text[1:-1].strip()
    return text.strip(_QUOTES).rstrip(".").strip(_QUOTES).strip()
