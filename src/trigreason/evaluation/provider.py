"""A pair as an Inspect model: ``inspect eval TASK --model trigreason/PAIR``.

``-M`` takes every argument of an arm (method, thresholds, sampling, budget), ``configuration``
(the file that names the pair) and ``connections`` (runs at once). The defaults are the pair's own
settings.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import Any, Literal

from inspect_ai._util.error import PrerequisiteError
from inspect_ai.model import (
    ChatMessage,
    GenerateConfig,
    ModelAPI,
    ModelCall,
    ModelOutput,
    RetryDecision,
)
from inspect_ai.tool import ToolChoice, ToolInfo

from trigreason.configuration import ConfigurationError
from trigreason.engines.base import EngineBusy, EngineError, EngineResting
from trigreason.evaluation.answering import Answering, answering
from trigreason.evaluation.arms import Arm
from trigreason.evaluation.lanes import lanes_of
from trigreason.evaluation.outputs import PROVIDER, conversation, output_of, summary
from trigreason.evaluation.pools import Lease

HONOURED = frozenset({"temperature", "top_p", "top_k", "seed", "max_tokens", "reasoning_tokens"})

OF_INSPECT = frozenset(
    {
        "adaptive_connections",
        "attempt_timeout",
        "cache",
        "cache_prompt",
        "fail_on_refusal",
        "internal_tools",
        "max_connections",
        "max_retries",
        "max_tool_output",
        "parallel_tool_calls",
        "reasoning_history",
        "reasoning_summary",
        "stream_idle_timeout",
        "system_message",
        "timeout",
    }
)
"""Options that Inspect handles itself, or that have no effect without tools."""

ALWAYS_SO = {"num_choices": 1, "best_of": 1}


class PairAPI(ModelAPI):
    """The pair called ``model_name``; ``args`` choose how it answers."""

    def __init__(
        self,
        model_name: str,
        base_url: str | None = None,
        api_key: str | None = None,
        config: GenerateConfig = GenerateConfig(),  # noqa: B008 - Inspect's own signature
        **args: Any,
    ) -> None:
        if base_url or api_key:
            given = "URL" if base_url else "API key"
            raise PrerequisiteError(
                f"{PROVIDER}/{model_name} takes no {given}: where its models are, and which "
                "variables hold their keys, stands in its configuration (-M configuration=FILE)"
            )
        try:
            self.answering: Answering = answering(model_name, args)
            arm_for(self.answering.arm, config)
        except ValueError as error:
            raise PrerequisiteError(f"{PROVIDER}/{model_name}: {error}") from error
        # Inspect's cache identifies a model by name and URL, which do not contain the arguments
        super().__init__(model_name, f"trigreason:{self.answering.digest()}", None, [], config)
        self.connections = self.answering.connections or config.max_connections
        self._lease = Lease(self.answering.plan, self.connections)

    async def generate(
        self,
        input: list[ChatMessage],  # noqa: A002 - Inspect's own signature
        tools: list[ToolInfo],
        tool_choice: ToolChoice,
        config: GenerateConfig,
    ) -> tuple[ModelOutput, ModelCall]:
        """Make one run.

        Raises:
            ValueError: the task asks for something that a pair cannot do.
            PrerequisiteError: the pair cannot be opened.
            EngineError: a model failed despite retries.
        """
        if tools:
            raise ValueError(f"this task gives tools ({tools[0].name}), and a pair calls no tools")
        arm = arm_for(self.answering.arm, config)
        seed = secrets.randbelow(2**31) if config.seed is None else config.seed
        messages = conversation(input)
        try:
            lanes = await self._lease.lanes()
        except (EngineError, ConfigurationError) as error:
            raise PrerequisiteError(f"the pair cannot be opened: {error}") from error
        trace = await lanes.answer(messages, arm, seed)
        request = {"pair": self.model_name, **arm.to_args(), "seed": seed}
        call = ModelCall.create(request, summary(trace), time=trace.seconds)
        return output_of(trace, f"{PROVIDER}/{self.model_name}", arm), call

    def should_retry(self, ex: BaseException) -> RetryDecision:
        """Whether Inspect should retry after a failure that outlasted the pair's own retries."""
        if isinstance(ex, EngineBusy):
            return RetryDecision(True, kind="rate_limit", retry_after=ex.retry_after)
        if isinstance(ex, EngineError) and (ex.transient or isinstance(ex, EngineResting)):
            return RetryDecision(True, kind="transient", retry_after=ex.retry_after)
        return RetryDecision(False)

    def max_connections(self) -> int:
        """Runs at once."""
        return lanes_of(self.answering.plan, self.connections)

    def connection_key(self) -> str:
        """The same for all arms of a pair: they share its connections."""
        return f"{self.model_name} {self.connections}"

    def force_reasoning_history(self) -> Literal["none"]:
        """Do not send the thinking of earlier turns: no chat template of such models takes it."""
        return "none"

    async def aclose(self) -> None:
        """Close the pair, unless another model uses it."""
        await self._lease.give_back()


def arm_for(arm: Arm, config: GenerateConfig) -> Arm:
    """The arm with the changes that Inspect's configuration asks for.

    ``max_tokens`` bounds thinking and answer together, ``reasoning_tokens`` the thinking alone.

    Raises:
        ValueError: the configuration asks for what a pair cannot do, or for a value out of range.
    """
    options = {name: value for name, value in config.model_dump().items() if value}
    for name, value in options.items():
        if name not in HONOURED | OF_INSPECT and ALWAYS_SO.get(name) != value:
            honoured = ", ".join(sorted(HONOURED))
            raise ValueError(f"{name}={value!r} cannot be had from a pair; what can is {honoured}")
    sampling = {
        name: value
        for name in ("temperature", "top_p", "top_k")
        if (value := getattr(config, name)) is not None
    }
    budget = arm.budget
    if config.reasoning_tokens is not None:
        budget = replace(budget, thinking_tokens=config.reasoning_tokens)
    if config.max_tokens is not None:
        budget = budget.within(config.max_tokens)
    return replace(arm, sampling=replace(arm.sampling, **sampling), budget=budget)
