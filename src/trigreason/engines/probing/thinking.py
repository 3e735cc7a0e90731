"""Does a model think in tags, and do blank lines divide its text into steps?"""

from __future__ import annotations

from trigreason.engines.base import Prefix, Request
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.probing.probe_requests import GREEDY, QUESTION, ProbeAnswer, ProbeRequests
from trigreason.engines.probing.report import Finding, State, Topic
from trigreason.reasoning import KNOWN_TAGS, Message, StepBreak, StepCutter, Tags
from trigreason.reasoning.steps import Author

BEGINNING_TOKENS = 12
"""A model that writes a tag does so within so many tokens."""

ENOUGH_TOKENS = 64
"""A shorter text may be a single step."""

BY_LINES = 'Let line ends separate steps: step_break = "line_end" for the pair, or --step-break.'


async def examine_thinking(probe: ProbeRequests) -> Finding:
    """How the model begins if the prompt opens no tag.

    Raises:
        EngineError: the engine failed.
    """
    prefix = Prefix((Message("user", QUESTION),), thinking=False)
    begun = await probe.ask(Request(prefix, GREEDY, BEGINNING_TOKENS))
    engine = probe.engine
    guessed = isinstance(engine, CompletionsEngine) and engine.template.guessed
    return judge_thinking(begun.text, engine.tags, guessed=guessed)


def judge_thinking(begun: str, tags: Tags | None, *, guessed: bool) -> Finding:
    """Compare the model's beginning with ``tags``, in which it is expected to think."""
    expected = f"in {tags.opening}" if tags else "in the open"
    written = next((tag for tag in KNOWN_TAGS if begun.lstrip().startswith(tag.opening)), None)
    if written is not None and written != tags:
        return Finding(
            Topic.THINKING,
            State.NO,
            f"it begins with {written.opening}, but should think {expected}",
            f'Say so in trigreason.toml: thinking = "{written.opening}".',
        )
    if written is not None:
        return Finding(Topic.THINKING, State.YES, f"{expected}; it begins so by itself")
    if guessed:
        return Finding(
            Topic.THINKING,
            State.UNKNOWN,
            f"{expected}, guessed from the model's name",
        )
    return Finding(Topic.THINKING, State.YES, f"{expected}, as its template says")


def judge_steps(reference: ProbeAnswer) -> Finding:
    """Whether blank lines, or else line ends, divide the model's text into steps."""
    tokens = reference.tokens
    ended = {step_break: _steps(reference, step_break) for step_break in StepBreak}
    count = ended[StepBreak.BLANK_LINE]
    if count:
        steps = "a step has" if count == 1 else f"{count} steps have"
        return Finding(Topic.STEPS, State.YES, f"{steps} ended within {len(tokens)} tokens")
    if len(tokens) < ENOUGH_TOKENS:
        return Finding(Topic.STEPS, State.UNKNOWN, f"it wrote no more than {len(tokens)} tokens")
    evidence = f"no blank line in {len(tokens)} tokens"
    lines = ended[StepBreak.LINE_END]
    if lines > 1:
        return Finding(Topic.STEPS, State.NO, f"{evidence}, but {lines} line ends", BY_LINES)
    return Finding(Topic.STEPS, State.NO, evidence)


def _steps(reference: ProbeAnswer, step_break: StepBreak) -> int:
    """How many steps ended within the text."""
    tokens = reference.tokens
    cutter = StepCutter(Author.SRM, max_tokens=len(tokens) + 1, step_break=step_break)
    steps = 0
    for token in tokens:
        if cutter.closed:
            break
        steps += len(cutter.push(token))
    return steps
