"""A pair: two models and the thresholds that fit them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from trigreason.engines.base import Engine, LogprobScale, Prefix
from trigreason.engines.scorer import Scorer
from trigreason.failure import FailurePolicy
from trigreason.hiding import Hiding
from trigreason.reasoning import (
    THINK_TAGS,
    Author,
    Message,
    Prices,
    Scoring,
    StepBreak,
    Tags,
    Thresholds,
)
from trigreason.reasoning.top_logprobs import MOST_LIKELY


@dataclass(frozen=True, slots=True)
class JudgePrompt:
    """How the LRM is asked for a score of the last step (SpecReason).

    ``question`` is a user turn after the thinking so far, ``opening`` the beginning of the
    assistant's answer, whose ``<think>`` is left out for a judge that thinks in the open; the
    next token is read as the digit.
    """

    question: str = (
        "Rate the last step of the reasoning above from 0 to 9 by whether it is correct and "
        "follows from the question and the steps before it: 0 for certainly wrong, 9 for "
        "certainly right. Style, wording and usefulness do not count. Answer with the digit alone."
    )
    opening: str = "<think>\nThe score of the last step is "
    scoring: Scoring = Scoring.GREEDY

    def prefix(
        self, messages: tuple[Message, ...], thinking: str, step: str, tags: Tags | None
    ) -> Prefix:
        """The prefix that asks for a score of ``step``, after the ``thinking`` before it.

        ``tags`` are those of the judge. An engine adds its model's tags to the turn it continues,
        not to messages, so the opening tag is written into the message with the thinking.
        """
        opened = f"{tags.opening}\n" if tags else ""
        written = f"{opened}{thinking}{step.rstrip()}\n\n"
        opening = self.opening if tags else self.opening.removeprefix(f"{THINK_TAGS.opening}\n")
        turns = (Message("assistant", written), Message("user", self.question))
        return Prefix((*messages, *turns), opening, thinking=False)


@dataclass(frozen=True, slots=True)
class Pair:
    """An SRM, an LRM, and how they work together.

    ``thresholds`` are the defaults of a run, ``step_break`` is what separates its steps.
    ``alternatives`` is how many of the likeliest tokens a trace keeps the logprobs of, at each
    position of an SRM step; 0 keeps none.
    ``logprob_scale`` is the distribution that tau and rho refer to; logprobs of an engine that
    reports the other one are converted.
    ``bound_answer`` is who writes an answer that a guide binds, if the method uses it.
    ``failure`` says what to do when a model fails, ``hiding`` how the LRM's latency is hidden.
    ``scorer`` rates steps for methods that ask for rewards; it is neither of the two models.
    """

    srm: Engine
    lrm: Engine
    name: str = "pair"
    thresholds: Thresholds = field(default_factory=Thresholds)
    step_break: StepBreak = StepBreak.BLANK_LINE
    alternatives: int = MOST_LIKELY
    logprob_scale: LogprobScale = LogprobScale.RAW
    judge: JudgePrompt = field(default_factory=JudgePrompt)
    bound_answer: Author = Author.LRM
    failure: FailurePolicy = field(default_factory=FailurePolicy)
    hiding: Hiding = field(default_factory=Hiding)
    prices: Mapping[Author, Prices] = field(default_factory=dict)
    scorer: Scorer | None = None

    def engine(self, author: Author) -> Engine:
        return self.srm if author is Author.SRM else self.lrm

    def alternatives_for(self, author: Author) -> int:
        """How many of the likeliest tokens are requested beside each token of a step."""
        return self.alternatives if author is Author.SRM else 0

    async def close(self) -> None:
        """Close both engines, and the scorer."""
        await self.srm.close()
        if self.lrm is not self.srm:
            await self.lrm.close()
        if self.scorer is not None:
            await self.scorer.close()
