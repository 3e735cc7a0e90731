"""How much a request lets the models think, in the forms of several APIs."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from trigreason.gateway.gateway_request import Effort, Options
from trigreason.gateway.lenient import LenientModel, Limit

ThinkingBudget = Annotated[
    int | None,
    Field(ge=-1),
    AfterValidator(lambda tokens: None if tokens == -1 else tokens),
]
"""The thinking in tokens, as vLLM has it: 0 is off, and -1 no limit."""


class ThinkingConfig(LenientModel):
    """Anthropic's ``thinking``: whether the response shows it, and how long it may be (tokens).

    The models always think; ``disabled`` is the effort ``none``.
    """

    type: Literal["enabled", "disabled", "adaptive", "between_tools"]
    budget_tokens: Annotated[int | None, Field(ge=1)] = None
    display: Literal["summarized", "omitted"] | None = None


class ReasoningConfig(LenientModel):
    """OpenRouter's ``reasoning``; ``max_tokens`` bounds the thinking alone.

    ``enabled: false`` is the effort ``none``; with ``exclude`` the response is without the
    reasoning.
    """

    effort: Effort | None = None
    max_tokens: Limit = None
    enabled: bool | None = None
    exclude: bool | None = None


def bounded_thinking(
    options: Options,
    effort: Effort | None,
    *budgets: int | None,
    is_off: bool,
) -> tuple[Options, Effort | None]:
    """The options and the effort of a request.

    The first of ``budgets`` counts (tokens), unless the options have one of their own. Thinking
    that ``is_off`` is the effort ``none``, with which none of ``budgets`` counts.
    """
    if is_off or effort == "none":
        return options, "none"
    budget = next((each for each in budgets if each), None)
    if options.thinking_tokens is None and budget is not None:
        options = options.model_copy(update={"thinking_tokens": budget})
    return options, effort
