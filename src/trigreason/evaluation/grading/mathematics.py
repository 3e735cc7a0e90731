r"""Compares mathematical expressions by math-verify in a separate process.

SymPy may take forever on a hostile expression, in code that no signal interrupts, and math-verify's
own time limit works only in a main thread. So a separate process compares. The first comparison
that needs it starts it, and it is killed if it takes too long.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from queue import Empty, Queue
from threading import Lock, Thread

from trigreason.answers import Box
from trigreason.evaluation.grading.plain import plain
from trigreason.evaluation.grading.quantities import is_unsolved, words_that_change

SECONDS = 10.0
"""Time limit of one comparison; two expressions that exceed it count as different."""
_STARTING_SECONDS = 120.0
"""How long the process may take to import SymPy, on a busy machine."""
_LONGEST = 2_000
"""The most characters of an answer; longer texts are not read."""
_MATH = re.compile(r"\\\((.+?)\\\)|\\\[(.+?)\\\]|\$\$?([^$]+?)\$\$?(?![0-9])")
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}")
_ENVIRONMENT = re.compile(r"\\(?:begin|end)\{\w+\*?\}")
_CLAUSE = re.compile(r"[.;!?](?=\s|$)|\s(?:because|since|as|so|for|which|where|with)\s")
_INEXACT = re.compile(r"\\approx(?![A-Za-z])|\\(?:sim|ne|neq)(?![A-Za-z])|\\not(?![A-Za-z])|≈|≠|!=")


def in_box(box: Box) -> str | None:
    """The expression in a box."""
    return None if box.inner is None else _expression(box.inner, words=3)


def alone(text: str) -> str | None:
    """The expression that a text consists of."""
    return _expression(text, words=1)


def said(text: str) -> str | None:
    """The expression that a statement begins with: in math delimiters, or its first clause."""
    text = text.strip(" *_")
    if match := _MATH.match(text):
        return alone(next(group for group in match.groups() if group is not None))
    return alone(_CLAUSE.split(text, maxsplit=1)[0])


def _expression(text: str, words: int) -> str | None:
    """The text if it is an expression; None if it is empty, inexact, too long or a sentence.

    math-verify finds a number in any sentence, so a text of more than ``words`` words is none.
    """
    text, bare = text.strip(), plain(_ENVIRONMENT.sub(" ", text))
    if len(text) > _LONGEST or not bare or _INEXACT.search(text):
        return None
    return text if len(_WORD.findall(bare)) <= words else None


def are_equal(wanted: str, given: str) -> bool:
    """Whether two expressions are equal, as text or in value.

    math-verify ignores words and takes the last side of an equation, so both are checked first.

    Raises:
        RuntimeError: math-verify cannot be started.
    """
    plain_wanted, plain_given = plain(wanted), plain(given)
    if plain_wanted.replace(" ", "") == plain_given.replace(" ", ""):
        return True
    if words_that_change(plain_wanted) != words_that_change(plain_given):
        return False
    if "=" not in plain_wanted and is_unsolved(plain_given):
        return False
    return _comparer.are_equal(wanted, given)


class _Comparer:
    """A process that compares; it serves one thread at a time."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: subprocess.Popen[str] | None = None
        self._replies: Queue[str] = Queue()

    def are_equal(self, wanted: str, given: str) -> bool:
        with self._lock:
            process = self._process or self._started()
            assert process.stdin is not None
            process.stdin.write(json.dumps([wanted, given]) + "\n")
            process.stdin.flush()
            reply = self._next(SECONDS)
            if reply is None:
                process.kill()
                process.wait()
                self._process = None
            return reply == "true"

    def _started(self) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "trigreason.evaluation.grading.comparing"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self._replies = Queue()
        Thread(target=_listen, args=(process, self._replies), daemon=True).start()
        if self._next(_STARTING_SECONDS) != "ready":
            process.kill()
            process.wait()
            raise RuntimeError(
                "math-verify, which compares mathematical answers, does not start; "
                "in the project's folder, uv sync --extra evaluation or "
                "pip install '.[evaluation]' installs it"
            )
        self._process = process
        return process

    def _next(self, seconds: float) -> str | None:
        """The process's next line; None if none comes in time or the process has ended."""
        try:
            return self._replies.get(timeout=seconds).strip() or None
        except Empty:
            return None


def _listen(process: subprocess.Popen[str], replies: Queue[str]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        replies.put(line)
    replies.put("")


_comparer = _Comparer()
