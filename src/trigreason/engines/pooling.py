"""A process reward model behind vLLM's ``/pooling``, with STEP pooling as Qwen2.5-Math-PRM has it.

The steps so far are one assistant message, each followed by the model's step tag. The server
returns a row per tag: the probabilities of a wrong and of a right step, or of a right one alone.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp
import msgspec

from trigreason.engines.base import EngineFailed, NoReward
from trigreason.engines.bodies import page
from trigreason.engines.breaker import Breaker
from trigreason.engines.earlier_calls import without_calls
from trigreason.engines.http import HttpModel, Timeouts
from trigreason.engines.refusals import one_line
from trigreason.engines.scorer import Rated, Scorer
from trigreason.reasoning import Message

ROUNDING = 0.02
"""How far probabilities of half precision may be from a sum of 1."""

SHOWN = 100
"""Characters of an unreadable body that an error repeats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrmPrompt:
    """How a process reward model is shown a thinking.

    Attributes:
        step_tag: the text after each step; it must be one token, the one the server pools at.
        system: the system message of a conversation that has none; empty for none.
    """

    step_tag: str = "<extra_0>"
    system: str = "Please reason step by step, and put your final answer within \\boxed{}."

    def __post_init__(self) -> None:
        if not self.step_tag.strip():
            raise ValueError("step_tag must be a text, not white space")

    def messages(self, messages: Sequence[Message], steps: Sequence[str]) -> list[dict[str, str]]:
        """The conversation and the steps; a tag inside a text is left out, as it would count."""
        texts = [{"role": text.role, "content": text.content} for text in without_calls(messages)]
        if self.system and not any(message.role == "system" for message in messages):
            texts.insert(0, {"role": "system", "content": self.system})
        for text in texts:
            text["content"] = text["content"].replace(self.step_tag, "")
        tagged = (step.replace(self.step_tag, "").strip() + self.step_tag for step in steps)
        return [*texts, {"role": "assistant", "content": "".join(tagged)}]


class PooledRows(msgspec.Struct):
    """The rows of one prompt."""

    data: list[list[float | None]]


class PooledUsage(msgspec.Struct):
    """The tokens of the prompt."""

    prompt_tokens: int | None = None


class Pooled(msgspec.Struct):
    """The answer of ``/pooling``."""

    data: list[PooledRows]
    model: str | None = None
    usage: PooledUsage | None = None


class PoolingScorer(HttpModel, Scorer):
    """A process reward model that vLLM serves; ``url`` may end in ``/v1``, or not.

    Without a ``model`` the server chooses, and its name is known from the first answer on.
    """

    def __init__(
        self,
        url: str,
        model: str = "",
        *,
        prompt: PrmPrompt | None = None,
        price: float | None = None,
        breaker: Breaker | None = None,
        api_key: str | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        root = url.rstrip("/").removesuffix("/v1")
        super().__init__(root, model, api_key, timeouts or Timeouts())
        self.prompt = prompt or PrmPrompt()
        self.price = price
        if breaker is not None:
            self.breaker = breaker

    @property
    def where(self) -> str:
        return f"{self.model or 'the scorer'} at {self.url}"

    async def rate(self, messages: Sequence[Message], steps: Sequence[str]) -> Rated:
        body = {"messages": self.prompt.messages(messages, steps)}
        named = {"model": self.model} if self.model else {}
        async with self.post("/pooling", named | body) as response:
            try:
                async with asyncio.timeout(self.timeouts.read):
                    content = await page(response)
            except (aiohttp.ClientError, TimeoutError, OSError) as error:
                raise self._unreachable(error) from error
        pooled = self._decoded(content)
        if len(pooled.data) != 1:
            raise self._no_reward(f"{len(pooled.data)} results for one thinking")
        reward = self._reward(pooled.data[0].data, len(steps))
        usage = pooled.usage or PooledUsage()
        return Rated(reward, usage.prompt_tokens, self.model or pooled.model)

    def _decoded(self, content: bytes) -> Pooled:
        try:
            return msgspec.json.decode(content, type=Pooled)
        except msgspec.ValidationError as error:
            raise self._no_reward(f"no rows of probabilities ({error})") from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            text = one_line(self.without_key(content.decode(errors="replace"))[:SHOWN])
            raise EngineFailed(
                f"the scorer's answer cannot be read ({text})",
                self.where,
                "Is this the address of vLLM, serving a process reward model?",
            ) from error

    def _reward(self, rows: Sequence[Sequence[float | None]], steps: int) -> float:
        """The probability, in the last row, that a step is right."""
        if len(rows) != steps:
            raise self._no_reward(f"{len(rows)} rows for {steps} step{'s' * (steps != 1)}")
        row = rows[-1]
        known = [each for each in row if each is not None and 0 <= each <= 1]
        is_whole = len(known) == 1 or math.isclose(sum(known), 1, abs_tol=ROUNDING)
        if len(known) < len(row) or not 1 <= len(known) <= 2 or not is_whole:
            raise self._no_reward(f"{list(row)} is no probability of a right step")
        return known[-1]

    def _no_reward(self, what: str) -> NoReward:
        return NoReward(
            f"the scorer gives no rewards of steps: {what}",
            self.where,
            "Serve a process reward model that pools at its step tag (vLLM: Qwen2.5-Math-PRM), and "
            "set the scorer's prompt.step_tag to that tag.",
        )
