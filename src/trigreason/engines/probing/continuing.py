"""Does a model continue a prefix, and does its server stop at the stop text?

The test uses the model's own greedy text: cut in the middle and sent as a prefix, it must be
continued by its own rest. Rounding can make the two differ later, so the first words decide. If
they differ, a second test decides: a count that any real model continues.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from trigreason.engines.base import BLANK_LINE, Finish, Request
from trigreason.engines.probing.probe_requests import GREEDY, QUESTION, ProbeAnswer, ProbeRequests
from trigreason.engines.probing.report import Finding, State, Topic
from trigreason.reasoning import Token, join_text

OPENING = "Let me check this step by step.\n\n"
COUNT = "I count: 1, 2, 3, 4, 5, 6, 7, 8,"
ENOUGH_CHARACTERS = 8
ENOUGH_TOKENS = 6
CONTINUED_TOKENS = 16
STEP_TOKENS = 160
SHORT_OF_BLANK_LINE = 24
"""The test of stopping begins so many characters before the blank line."""
THINK = "<think>"


async def examine_prefix(probe: ProbeRequests, start: str, reference: ProbeAnswer) -> Finding:
    """Whether the model continues a prefix.

    ``start`` is its text without a prefix, ``reference`` its continuation of OPENING.

    Raises:
        EngineError: the engine failed.
    """
    cut = _cut_in_half(reference.tokens)
    if cut is None:
        return await _count_on(probe, f"it wrote no more than {shown(reference.text)} by itself")
    written, rest = OPENING + reference.text[:cut], reference.text[cut:]
    answer = await probe.ask(Request(probe.prefix(written), GREEDY, CONTINUED_TOKENS))
    finding = judge_continuation(start, rest, answer.text)
    if finding is not None:
        return finding
    what = f"it wrote {shown(answer.text)} where it had gone on with {shown(rest)} before"
    return await _count_on(probe, what)


async def _count_on(probe: ProbeRequests, what: str) -> Finding:
    counted = (await probe.ask(Request(probe.prefix(COUNT), GREEDY, CONTINUED_TOKENS))).text
    if counted.lstrip(" ").startswith("9"):
        return Finding(Topic.PREFIX, State.YES, "counts on: 9 after “… 6, 7, 8,”")
    if fault := _starts_over("", counted):
        return Finding(Topic.PREFIX, State.NO, fault)
    return Finding(Topic.PREFIX, State.UNKNOWN, f"{what}, and {shown(counted)} after “… 6, 7, 8,”")


def judge_continuation(start: str, rest: str, got: str) -> Finding | None:
    """Compare a continuation with the ``rest`` that the model wrote before; None if undecided.

    For a model that repeats itself, starting over and going on can look the same, so a match
    with ``rest`` is looked for first.
    """
    length = min(len(rest), len(got))
    same = _alike(rest, got)
    if length and (same == length or same >= ENOUGH_CHARACTERS):
        said = "word for word" if same == length else f"the first {same} characters the same"
        return Finding(Topic.PREFIX, State.YES, f"cut in the middle, its own text goes on {said}")
    trimmed = rest.lstrip()
    if got and trimmed != rest and _alike(trimmed, got) == min(len(trimmed), len(got)):
        return Finding(
            Topic.PREFIX, State.YES, "its own text goes on, but the blank at the cut is lost"
        )
    fault = _starts_over(start, got)
    return Finding(Topic.PREFIX, State.NO, fault) if fault else None


def _starts_over(start: str, got: str) -> str | None:
    """How a text starts over instead of going on; None if it does not."""
    text = got.lstrip()
    if text.startswith(THINK):
        return f"begins again with {THINK} instead of going on"
    for sent in (OPENING, COUNT, QUESTION):
        if _alike(sent.strip(), text) >= ENOUGH_CHARACTERS:
            return f"gives back what it was given ({shown(text)}) instead of going on"
    if _alike(start.strip(), text) >= ENOUGH_CHARACTERS:
        return f"starts over ({shown(text)}) instead of going on"
    return None


def _alike(first: str, second: str) -> int:
    """The length of two texts' common prefix."""
    pairs = zip(first, second, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _cut_in_half(tokens: Sequence[Token]) -> int | None:
    """The characters before the middle of a text, at a token boundary; None if it is too short."""
    texts = [token.text for token in tokens if token.text]
    if len(texts) < ENOUGH_TOKENS:
        return len(texts[0]) // 2 if len(texts) == 1 and len(texts[0]) > 40 else None
    return len(join_text(texts[: len(texts) // 2]))


async def examine_stop(probe: ProbeRequests, reference: ProbeAnswer) -> Finding:
    """Whether the server stops at a blank line.

    The request begins shortly before the first blank line of ``reference``, if it has one.

    Raises:
        EngineError: the engine failed.
    """
    end = reference.text.find(BLANK_LINE)
    if end <= 0:
        written, expected = reference.text, None
    else:
        begin = _begin_of_token(reference.tokens, max(0, end - SHORT_OF_BLANK_LINE))
        written, expected = reference.text[:begin], reference.text[begin:end]
    prefix = probe.prefix(OPENING + written)
    answer = await probe.ask(Request(prefix, GREEDY, STEP_TOKENS, one_step=True))
    return judge_stop(expected, answer)


def _begin_of_token(tokens: Sequence[Token], position: int) -> int:
    """The offset of the token that contains the character at ``position``."""
    begin = 0
    for token in tokens:
        if begin + len(token.text) > position:
            break
        begin += len(token.text)
    return begin


def judge_stop(expected: str | None, answer: ProbeAnswer) -> Finding:
    """``expected`` is the text before the blank line, if it is known."""
    before, blank, after = answer.text.partition(BLANK_LINE)
    if blank and after.strip("\n"):
        evidence = f"went on after the blank line at which it should stop ({shown(after)})"
        return Finding(Topic.STOP, State.NO, evidence)
    if blank or (expected is not None and before == expected and answer.finish is Finish.STOP):
        return Finding(Topic.STOP, State.YES, f"at the blank line, after {answer.generated} tokens")
    return Finding(
        Topic.STOP, State.UNKNOWN, f"no blank line to stop at came in {answer.generated} tokens"
    )


def shown(text: str, length: int = 24) -> str:
    """A text in quotes, on one line, shortened for a table."""
    line = text.replace("\n", "⏎")
    return f"“{line}”" if len(line) <= length else f"“{line[:length].rstrip()} …”"
