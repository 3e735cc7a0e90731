"""Hiding the LRM's latency behind the SRM's writing. All of it is off by default."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Hiding:
    """Requests to the LRM before it is known to be needed; all of them are in the trace.

    Attributes:
        warm_seconds: while the SRM writes, the LRM reads the thinking so far at most once in this
            many seconds, so that its prefix cache is warm when it is needed; None for never.
        warm_tokens: the same, once in this many tokens of thinking; None for never. With both,
            whichever is reached first.
        hedge: when the running low-perplexity ratio of an unfinished SRM step would fire the
            cognitive offload, the LRM begins to rewrite it; the rewrite is dropped if the trigger
            does not fire in the end.
        hedge_tokens: an unfinished step is not judged before it has this many tokens.
    """

    warm_seconds: float | None = None
    warm_tokens: int | None = None
    hedge: bool = False
    hedge_tokens: int = 12

    def __post_init__(self) -> None:
        if self.warm_seconds is not None and not self.warm_seconds > 0:
            raise ValueError(f"warm_seconds must be above 0, not {self.warm_seconds}")
        if self.warm_tokens is not None and self.warm_tokens < 1:
            raise ValueError(f"warm_tokens must be 1 or more, not {self.warm_tokens}")
        if self.hedge_tokens < 1:
            raise ValueError(f"hedge_tokens must be 1 or more, not {self.hedge_tokens}")
