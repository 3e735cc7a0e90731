"""What a simulation comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trigreason.reasoning import Author, Stretch


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulated:
    """One run under a deployment.

    Attributes:
        seconds: from the question to the end of the answer.
        requests: every request, those ahead of need included, in the order in which they are
            sent. ``generated_tokens`` is what is billed, tokens behind a closing included.
        waiting: seconds in which the run stands still until a model's first token comes.
        usd: what is paid for each model.
    """

    seconds: float
    requests: tuple[Stretch, ...]
    waiting: Mapping[Author, float]
    usd: Mapping[Author, float]

    def of(self, author: Author) -> list[Stretch]:
        """The requests to ``author``'s model."""
        return [each for each in self.requests if each.author is author]

    @property
    def waiting_seconds(self) -> float:
        return sum(self.waiting.values())

    @property
    def total_usd(self) -> float:
        return sum(self.usd.values())
