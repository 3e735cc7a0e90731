r"""Closing brackets, as BBH's ``dyck_languages`` asks for them.

They are an answer that no box can hold by the rules of LaTeX: a brace that is the answer looks like
the one that ends the box. So the box is read as the run of brackets after it, up to the last brace.
"""

from __future__ import annotations

import re

from trigreason.evaluation.grading.places import Answer

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


def read(answer: Answer) -> str | None:
    """The brackets that an answer gives, without white space; None if it gives anything else."""
    if answer.opened is None:
        return answer.read(_brackets)
    run = _RUN.match(answer.opened)
    written = run[0] if run else ""
    end = written.rfind("}")
    return _brackets(written[:end]) if end >= 0 else None


def _brackets(text: str) -> str | None:
    if dressed := _TEXT.fullmatch(text):
        text = dressed["inner"]
    for pattern, meant in _AS_WRITTEN:
        text = pattern.sub(meant, text)
    return text if _ONLY_BRACKETS.fullmatch(text) else None
