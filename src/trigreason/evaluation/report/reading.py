"""A run made ready for a page: its steps one after the other, cut where they are too long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trigreason.evaluation.runs import Run
from trigreason.reasoning import Author, StepRecord, Trace
from trigreason.reasoning.names import TRIGGER_NAMES

STEPS_SHOWN = 60
CHARACTERS_SHOWN = 2_000
_UNSAYABLE = (0x7F, *range(0x80, 0xA0), *range(0xD800, 0xE000))
_VISIBLE = {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t"}
_VISIBLE |= dict.fromkeys(_UNSAYABLE, "\ufffd")


@dataclass(frozen=True, slots=True)
class ShownStep:
    """One step, or (``skipped`` is not 0) so many that are left out here."""

    author: str = ""
    text: str = ""
    facts: str = ""
    trigger: str = ""
    draft: bool = False
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class ReadableRun:
    """A run to read; ``outcome`` is right, wrong or empty."""

    steps: tuple[ShownStep, ...]
    answer: str
    answered_by: str
    outcome: str
    facts: str


def reading(run: Run) -> ReadableRun:
    """The run, with the middle of a very long one left out."""
    trace = run.trace
    steps = list(enumerate(trace.steps))
    if len(steps) > STEPS_SHOWN:
        kept = STEPS_SHOWN // 2
        shown = [
            *_steps(steps[:kept], trace),
            ShownStep(skipped=len(steps) - 2 * kept),
            *_steps(steps[-kept:], trace),
        ]
    else:
        shown = list(_steps(steps, trace))
    author = trace.answer_author
    return ReadableRun(
        steps=tuple(shown),
        answer=printable(cut(trace.answer.strip())),
        answered_by=author.value if author else "",
        outcome={True: "right", False: "wrong", None: ""}[run.right],
        facts=_facts(trace),
    )


def _steps(steps: list[tuple[int, StepRecord]], trace: Trace) -> Iterator[ShownStep]:
    for index, step in steps:
        before = trace.steps[index - 1] if index else None
        takes_over = step.trigger is not None and (
            before is None or before.author is not step.author
        )
        yield ShownStep(
            author=step.author.value,
            text=printable(cut(step.text.strip())),
            facts=" · ".join(_of_step(step)),
            trigger=TRIGGER_NAMES[step.trigger] if takes_over and step.trigger else "",
            draft=not step.standing,
        )


def _of_step(step: StepRecord) -> Iterator[str]:
    yield _counted(step.tokens, "token")
    if step.ratio is not None:
        yield f"r = {step.ratio:.2f}"
    if step.score is not None:
        yield f"score {step.score:g}"
    if step.hesitations:
        yield "hesitates: " + ", ".join(map(printable, step.hesitations))
    if not step.standing:
        yield "thrown away"


def _facts(trace: Trace) -> str:
    told = [_counted(trace.thinking_tokens, "thinking token")]
    if trace.smt is not None:
        told.append(f"SMT {100 * trace.smt:.0f} %")
    requests = trace.use(Author.LRM).requests
    told += [f"{_counted(requests, 'request')} to the LRM", f"{trace.seconds:.2f} s"]
    if trace.stop is not None:
        told.append(f"{trace.stop.value} ({trace.limit})" if trace.limit else trace.stop.value)
    if trace.degraded is not None:
        told.append(f"the {trace.degraded.author.upper()} stayed away")
    return " · ".join(told)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def cut(text: str, most: int = CHARACTERS_SHOWN) -> str:
    """The text, or its beginning with a word on how much is missing."""
    if len(text) <= most:
        return text
    return f"{text[:most]} … [{len(text) - most:,} more characters]"


def printable(text: str) -> str:
    """The text with control characters and halves of characters made visible."""
    return text.replace("\r\n", "\n").translate(_VISIBLE)
