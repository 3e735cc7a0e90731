"""Does a model go on from where a text ends, and does its server stop where it is told to?

The measure is the model's own greedy text: cut anywhere and given back, it must be continued with
its own rest. Rounding can part the two later on, so the first words decide. Where they differ, a
count that any real model carries on has the last word.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from trigreason.engines.base import BLANK_LINE, Finish, Request
from trigreason.engines.probing.asking import GREEDY, QUESTION, ProbeAnswer, ProbeRequests
from trigreason.engines.probing.report import Finding, State, Topic
from trigreason.reasoning import Token, join_text

OPENING = "Let me check this step by step.\n\n"
COUNT = "I count: 1, 2, 3, 4, 5, 6, 7, 8,"
ENOUGH_CHARACTERS = 8
ENOUGH_TOKENS = 6
CONTINUED_TOKENS = 16
STEP_TOKENS = 160
SHORT_OF_BLANK_LINE = 24
"""Characters before it from which a step is asked for."""
THINK = "<think>"


async def examine_prefix(asking: ProbeRequests, start: str, own: ProbeAnswer) -> Finding:
    """``start`` is how the model begins with nothing written, ``own`` how it goes on from OPENING.

    Raises:
        EngineError: the engine failed.
    """
    cut = cut_in_half(own.tokens)
    if cut is None:
        return await _count_on(asking, f"it wrote no more than {shown(own.text)} by itself")
    written, rest = OPENING + own.text[:cut], own.text[cut:]
    answer = await asking.ask(Request(asking.prefix(written), GREEDY, CONTINUED_TOKENS))
    finding = judge_continuation(start, rest, answer.text)
    if finding is not None:
        return finding
    what = f"it wrote {shown(answer.text)} where it had gone on with {shown(rest)} before"
    return await _count_on(asking, what)


async def _count_on(asking: ProbeRequests, what: str) -> Finding:
    counted = (await asking.ask(Request(asking.prefix(COUNT), GREEDY, CONTINUED_TOKENS))).text
    if counted.lstrip(" ").startswith("9"):
        return Finding(Topic.PREFIX, State.YES, "counts on: 9 after “… 6, 7, 8,”")
    if fault := _starts_over("", counted):
        return Finding(Topic.PREFIX, State.NO, fault)
    return Finding(Topic.PREFIX, State.UNKNOWN, f"{what}, and {shown(counted)} after “… 6, 7, 8,”")


def judge_continuation(start: str, rest: str, got: str) -> Finding | None:
    """What the model's continuation says beside the ``rest`` it wrote before; None for nothing.

    A model that repeats itself may begin again and go on at once, so what it should have written
    is looked for first.
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
    """How a text begins again instead of going on; None where it does not."""
    text = got.lstrip()
    if text.startswith(THINK):
        return f"begins again with {THINK} instead of going on"
    for given in (OPENING, COUNT, QUESTION):
        if _alike(given.strip(), text) >= ENOUGH_CHARACTERS:
            return f"gives back what it was given ({shown(text)}) instead of going on"
    if _alike(start.strip(), text) >= ENOUGH_CHARACTERS:
        return f"starts over ({shown(text)}) instead of going on"
    return None


def _alike(first: str, second: str) -> int:
    """How many characters two texts begin with in common."""
    pairs = zip(first, second, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def cut_in_half(tokens: Sequence[Token]) -> int | None:
    """The characters before the middle of a text, between two tokens; None where it is short."""
    texts = [token.text for token in tokens if token.text]
    if len(texts) < ENOUGH_TOKENS:
        return len(texts[0]) // 2 if len(texts) == 1 and len(texts[0]) > 40 else None
    return len(join_text(texts[: len(texts) // 2]))


async def examine_stop(asking: ProbeRequests, own: ProbeAnswer) -> Finding:
    """Ask for one step from shortly before the first blank line of ``own``, or wait for one.

    Raises:
        EngineError: the engine failed.
    """
    end = own.text.find(BLANK_LINE)
    if end <= 0:
        written, expected = own.text, None
    else:
        begin = _begin_of_token(own.tokens, max(0, end - SHORT_OF_BLANK_LINE))
        written, expected = own.text[:begin], own.text[begin:end]
    prefix = asking.prefix(OPENING + written)
    answer = await asking.ask(Request(prefix, GREEDY, STEP_TOKENS, one_step=True))
    return judge_stop(expected, answer)


def _begin_of_token(tokens: Sequence[Token], position: int) -> int:
    """Where the token begins that holds the character at ``position``."""
    begin = 0
    for token in tokens:
        if begin + len(token.text) > position:
            break
        begin += len(token.text)
    return begin


def judge_stop(expected: str | None, answer: ProbeAnswer) -> Finding:
    """``expected`` is the text that was to come before the blank line, where that is known."""
    before, blank, after = answer.text.partition(BLANK_LINE)
    if blank and after.strip("\n"):
        told = f"wrote on after the blank line it was to stop at ({shown(after)})"
        return Finding(Topic.STOP, State.NO, told)
    if blank or (expected is not None and before == expected and answer.finish is Finish.STOP):
        return Finding(Topic.STOP, State.YES, f"at the blank line, after {answer.generated} tokens")
    return Finding(
        Topic.STOP, State.UNKNOWN, f"no blank line came in {answer.generated} tokens to stop at"
    )


def shown(text: str, length: int = 24) -> str:
    """A text in quotes, on one line, short enough for a table."""
    line = text.replace("\n", "⏎")
    return f"“{line}”" if len(line) <= length else f"“{line[:length].rstrip()} …”"
