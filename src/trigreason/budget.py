"""The hard limits of a run."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Annotated

from trigreason.reasoning.field_docs import FieldDoc
from trigreason.reasoning.steps import MAX_STEP_TOKENS

ANSWER_SHARE = 4
"""If a limit is too small for thinking and answer, one token in this many is for the answer."""

LEAST_TOKENS = 2
"""One token of thinking and one of the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """None means no limit.

    Thinking tokens are those of the standing steps and the unfinished step; drafts and scores come
    on top and are in the trace.
    """

    thinking_tokens: Annotated[
        int,
        FieldDoc("Thinking is closed, and the answer asked for, after so many.", unit="TOKENS"),
    ] = 8192
    answer_tokens: Annotated[int, FieldDoc("Longest answer.", unit="TOKENS")] = 2048
    step_tokens: Annotated[int, FieldDoc("Longest step.", unit="TOKENS")] = MAX_STEP_TOKENS
    steps: Annotated[int | None, FieldDoc("Thinking is closed after so many.", "", "STEPS")] = None
    seconds: Annotated[
        float | None, FieldDoc("The run ends, answered or not, after so many.", "", "SECONDS")
    ] = None

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if value is not None and not value > 0:
                raise ValueError(f"a budget of {value} {name.replace('_', ' ')} leaves no room")

    def within(self, max_tokens: int) -> Budget:
        """This budget with thinking and answer together limited to ``max_tokens``.

        That is what OpenAI's limit means for models that think. The thinking ends early enough to
        leave room for the answer.
        """
        if max_tokens >= self.thinking_tokens + self.answer_tokens:
            return self
        limit = max(LEAST_TOKENS, max_tokens)
        room = max(1, limit // ANSWER_SHARE, limit - self.thinking_tokens)
        answer = min(self.answer_tokens, room)
        return replace(self, thinking_tokens=limit - answer, answer_tokens=answer)

    def spent(self, thinking_tokens: int, steps: int) -> str | None:
        """The name of the limit that this much thinking has reached; None while there is room."""
        if thinking_tokens >= self.thinking_tokens:
            return "thinking_tokens"
        if self.steps is not None and steps >= self.steps:
            return "steps"
        return None
