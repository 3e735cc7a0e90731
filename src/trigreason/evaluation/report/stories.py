"""Prepares a run for a page: its steps in order, cut if they are too long."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trigreason.evaluation.runs import Run
from trigreason.reasoning import Author, StepRecord, Trace
from trigreason.reasoning.names import TRIGGER_NAMES

STEPS_SHOWN = 60
CHARACTERS_SHOWN = 2_000
_UNPRINTABLE = (0x7F, *range(0x80, 0xA0), *range(0xD800, 0xE000))
_VISIBLE = {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t"}
_VISIBLE |= dict.fromkeys(_UNPRINTABLE, "\ufffd")


@dataclass(frozen=True, slots=True)
class ShownStep:
    """One step or, if ``skipped`` is not 0, that many steps that are left out here."""

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
    """The run, without the middle if it is very long."""
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
            facts=" · ".join(_step_facts(step)),
            trigger=TRIGGER_NAMES[step.trigger] if takes_over and step.trigger else "",
            draft=not step.standing,
        )


def _step_facts(step: StepRecord) -> Iterator[str]:
    yield _counted(step.tokens, "token")
    if step.ratio is not None:
        yield f"r = {step.ratio:.2f}"
    if step.score is not None:
        yield f"score {step.score:g}"
    if step.reward is not None:
        yield f"reward {step.reward:.2f}"
    if step.hesitations:
        yield "hesitates: " + ", ".join(map(printable, step.hesitations))
    if not step.standing:
        yield "thrown away"


def _facts(trace: Trace) -> str:
    facts = [_counted(trace.thinking_tokens, "thinking token")]
    if trace.smt is not None:
        facts.append(f"SMT {100 * trace.smt:.0f} %")
    requests = trace.use(Author.LRM).requests
    facts += [f"{_counted(requests, 'request')} to the LRM", f"{trace.seconds:.2f} s"]
    if trace.stop is not None:
        facts.append(f"{trace.stop.value} ({trace.limit})" if trace.limit else trace.stop.value)
    if trace.degraded is not None:
        facts.append(f"the {trace.degraded.away} stayed away")
    return " · ".join(facts)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def cut(text: str, most: int = CHARACTERS_SHOWN) -> str:
    """The text, or its beginning and a note on how much is missing."""
    if len(text) <= most:
        return text
    return f"{text[:most]} … [{len(text) - most:,} more characters]"


def printable(text: str) -> str:
    """The text with control characters and lone surrogates made visible."""
    return text.replace("\r\n", "\n").translate(_VISIBLE)
