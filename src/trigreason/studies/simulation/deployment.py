"""What a simulation assumes: how two models are served, and how a run sends its requests."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from trigreason.hiding import Hiding
from trigreason.reasoning import Author, Prices, Stretch


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A model behind a network. Times are seconds; rates are tokens per second, None for no limit.

    Attributes:
        round_trip: to the server and back, for every request.
        first_token: from a request's arrival to its first token, with no prompt to read.
        token_rate: tokens it writes per second.
        prefill_rate: prompt tokens per second that it reads, of those not in its cache.
        cache: whether it caches prompts and completions of the run's earlier requests.
        cache_unit: it caches and bills prefixes in whole units of so many tokens.
        bills_closed_streams: as in an engine's capabilities: the server then ends a single step
            itself, and no stream is closed for it.
        closing: from closing a stream until the server stops writing; None for the round trip, in
            which the last tokens travel here and the close travels there.
        prices: None where nothing is paid.

    Raises:
        ValueError: a time is below 0, a rate is 0 or less or not finite, or the unit is below 1.
    """

    round_trip: float = 0.0
    first_token: float = 0.0
    token_rate: float | None = None
    prefill_rate: float | None = None
    cache: bool = True
    cache_unit: int = 1
    bills_closed_streams: bool = False
    closing: float | None = None
    prices: Prices | None = None

    def __post_init__(self) -> None:
        for name in ("round_trip", "first_token", "closing"):
            seconds = getattr(self, name)
            if seconds is not None and not 0 <= seconds < math.inf:
                raise ValueError(f"{name} must be 0 s or more, not {seconds}")
        for name in ("token_rate", "prefill_rate"):
            rate = getattr(self, name)
            if rate is not None and not 0 < rate < math.inf:
                raise ValueError(f"{name} must be above 0 tokens/s and finite, not {rate}")
        if self.cache_unit < 1:
            raise ValueError(f"cache_unit must be 1 token or more, not {self.cache_unit}")

    @property
    def stops_after(self) -> float:
        """Seconds from closing a stream until its tokens are neither sent nor billed."""
        return self.round_trip if self.closing is None else self.closing

    def cached(self, known: int, prompt: int) -> int:
        """Prompt tokens read from a cache that has ``known`` of them; it never serves the last."""
        if not self.cache:
            return 0
        return min(known, prompt - 1) // self.cache_unit * self.cache_unit

    def first_token_after(self, uncached: int) -> float:
        """Seconds from sending a request to its first token."""
        reading = uncached / self.prefill_rate if self.prefill_rate else 0.0
        return self.round_trip + self.first_token + reading

    def usd(self, request: Stretch) -> float:
        return (self.prices.cost(request) or 0.0) if self.prices else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Two servers, and how a run is carried out on them.

    ``request_per_step`` sends one request per step, as SpecReason's script does; otherwise a
    stretch is one request. ``hiding`` says which requests go to the LRM ahead of need.
    """

    srm: Server = field(default_factory=Server)
    lrm: Server = field(default_factory=Server)
    request_per_step: bool = False
    hiding: Hiding = field(default_factory=Hiding)
    description: str = ""

    def server(self, author: Author) -> Server:
        return self.srm if author is Author.SRM else self.lrm
