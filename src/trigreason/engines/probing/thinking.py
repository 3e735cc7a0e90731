"""How does a model think, and does its text fall into steps?"""

from __future__ import annotations

from trigreason.engines.base import Prefix, Request
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.probing.asking import GREEDY, QUESTION, ProbeAnswer, ProbeRequests
from trigreason.engines.probing.report import Finding, State, Topic
from trigreason.reasoning import KNOWN_TAGS, Message, StepBreak, StepCutter, Tags
from trigreason.reasoning.steps import Author

BEGINNING_TOKENS = 12
"""A model that marks its thinking does so at once."""

ENOUGH_TOKENS = 64
"""A shorter text can be a single step of any model."""

BY_LINES = 'Let line ends separate steps: step_break = "line_end" for the pair, or --step-break.'


async def examine_thinking(asking: ProbeRequests) -> Finding:
    """How the model begins where no tag is opened for it.

    Raises:
        EngineError: the engine failed.
    """
    prefix = Prefix((Message("user", QUESTION),), thinking=False)
    begun = await asking.ask(Request(prefix, GREEDY, BEGINNING_TOKENS))
    engine = asking.engine
    guessed = isinstance(engine, CompletionsEngine) and engine.template.guessed
    return judge_thinking(begun.text, engine.tags, guessed=guessed)


def judge_thinking(begun: str, tags: Tags | None, *, guessed: bool) -> Finding:
    """What the model's beginning says about ``tags``, in which it is taken to think."""
    taken = f"in {tags.opening}" if tags else "in the open"
    written = next((each for each in KNOWN_TAGS if begun.lstrip().startswith(each.opening)), None)
    if written is not None and written != tags:
        return Finding(
            Topic.THINKING,
            State.NO,
            f"it begins with {written.opening}, and is taken to think {taken}",
            f'Say so in trigreason.toml: thinking = "{written.opening}".',
        )
    if written is not None:
        return Finding(Topic.THINKING, State.YES, f"{taken}, as it begins by itself")
    if guessed:
        return Finding(
            Topic.THINKING,
            State.UNKNOWN,
            f"{taken}, guessed from the model's name",
        )
    return Finding(Topic.THINKING, State.YES, f"{taken}, as its template says")


def judge_steps(own: ProbeAnswer) -> Finding:
    """Whether the model's own text has blank lines, or else line ends, to be cut at."""
    tokens = own.tokens
    ended = {each: _steps(own, each) for each in StepBreak}
    count = ended[StepBreak.BLANK_LINE]
    if count:
        each = "a step has" if count == 1 else f"{count} steps have"
        return Finding(Topic.STEPS, State.YES, f"{each} ended within {len(tokens)} tokens")
    if len(tokens) < ENOUGH_TOKENS:
        return Finding(Topic.STEPS, State.UNKNOWN, f"it wrote no more than {len(tokens)} tokens")
    told = f"no blank line in {len(tokens)} tokens"
    lines = ended[StepBreak.LINE_END]
    if lines > 1:
        return Finding(Topic.STEPS, State.NO, f"{told}, but {lines} line ends", BY_LINES)
    return Finding(Topic.STEPS, State.NO, told)


def _steps(own: ProbeAnswer, step_break: StepBreak) -> int:
    """How many steps ended within the text."""
    tokens = own.tokens
    cutter = StepCutter(Author.SRM, max_tokens=len(tokens) + 1, step_break=step_break)
    steps = 0
    for token in tokens:
        if cutter.closed:
            break
        steps += len(cutter.push(token))
    return steps
