"""The contract of a scorer: a process reward model that rates the steps of a thinking."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from trigreason.engines.breaker import Breaker
from trigreason.reasoning import Message


class Rated(NamedTuple):
    """The last step's reward, 0 to 1, and the tokens read for it; None if the server kept silent.

    ``model`` is the scorer's name as its server has it, if it says so.
    """

    reward: float
    prompt_tokens: int | None = None
    model: str | None = None


class Scorer(ABC):
    """A model that rates steps and writes none. Safe to use from many runs at once.

    ``price`` is in USD per million tokens read, None if unknown.
    """

    model: str
    price: float | None = None

    @cached_property
    def breaker(self) -> Breaker:
        """Decides from the failures of all runs whether this scorer gets requests at the moment."""
        return Breaker()

    @abstractmethod
    async def rate(self, messages: Sequence[Message], steps: Sequence[str]) -> Rated:
        """The reward of the last of ``steps``, in the light of the conversation and the others.

        ``steps`` are not blank, and at least one.

        Raises:
            NoReward: the model gives no rewards, or impossible ones.
            EngineError: it cannot be used otherwise; see its subclasses.
        """

    async def close(self) -> None:  # noqa: B027 - a scorer may hold nothing
        """Release connections. The scorer cannot be used afterwards."""
