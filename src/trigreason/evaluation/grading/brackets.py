r"""Closing brackets, as BBH's ``dyck_languages`` asks for them.

By the rules of LaTeX no box can hold such an answer: a brace that is the answer looks like the one
that ends the box. So a box is read as the run of brackets after its opening, up to the last brace.
"""

from __future__ import annotations

import re

from trigreason.answers import Box

_DRESS = r"\\(?:text|texttt|mathtt|mathrm)\b"
_RUN = re.compile(
    rf"(?:[\[\](){{}}<>\s$,`~]|\\[\[\](){{}}]|{_DRESS}|\\[lr]angle\b|\\[,;: ]|\\quad\b)*"
)
_AS_WRITTEN = (
    (re.compile(r"\\langle\b"), "<"),
    (re.compile(r"\\rangle\b"), ">"),
    (re.compile(r"\\quad\b|\\[,;: ]|[\s$,`~*\"'.]"), ""),
    (re.compile(r"\\(?=[\[\](){}])"), ""),
)
_TEXT = re.compile(rf"[\s$]*{_DRESS}\s*\{{(?P<inner>.*)\}}[\s$]*", re.DOTALL)
_ONLY_BRACKETS = re.compile(r"[\[\](){}<>]+")


def in_box(box: Box) -> str | None:
    """The brackets in a box, without white space; None if it holds anything else."""
    run = _RUN.match(box.opened)
    written = run[0] if run else ""
    end = written.rfind("}")
    return brackets(written[:end]) if end >= 0 else None


def brackets(text: str) -> str | None:
    """The brackets that a text consists of, without white space; None if it has anything else."""
    if dressed := _TEXT.fullmatch(text):
        text = dressed["inner"]
    for pattern, meant in _AS_WRITTEN:
        text = pattern.sub(meant, text)
    return text if _ONLY_BRACKETS.fullmatch(text) else None
