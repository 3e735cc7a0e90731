"""A request that writes: when each of its tokens is here."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

from trigreason.reasoning import Author, Purpose, Stretch, Trigger
from trigreason.studies.simulation.deployment import Server

_ROUNDING = 1e-6
"""Of a token: what the sums of seconds may be off by."""


@dataclass(slots=True, kw_only=True)
class Stream:
    """Sent at ``sent`` (seconds from the run's beginning); its first token is here at ``first``.

    ``number`` is its place among the run's requests, by the order of sending.
    ``used`` of its tokens have gone into the run. ``limit`` is how many it writes until the
    server ends it, None for as many as it is given time for.
    """

    number: int
    author: Author
    server: Server
    sent: float
    first: float
    prompt: int
    cached: int
    purpose: Purpose = Purpose.WRITE
    trigger: Trigger | None = None
    limit: int | None = None
    used: int = 0

    def arrival(self, index: int) -> float:
        """When the token at ``index`` is here."""
        rate = self.server.token_rate
        return self.first + (max(0, index) / rate if rate else 0.0)

    def written_by(self, moment: float) -> int:
        """How many tokens are here at ``moment``.

        Without a rate or a limit they cannot be told, and are those that are used.
        """
        if moment < self.first:
            return self.used
        if self.server.token_rate is None:
            return max(self.used, self.limit or 0)
        written = floor((moment - self.first) * self.server.token_rate + _ROUNDING) + 1
        return max(self.used, written if self.limit is None else min(written, self.limit))

    def closed(self, moment: float) -> Stretch:
        """The request, closed at ``moment`` or ended by the server before."""
        arrived = self.written_by(moment)
        return Stretch(
            author=self.author,
            purpose=self.purpose,
            trigger=self.trigger,
            prompt_tokens=self.prompt,
            cached_tokens=self.cached,
            generated_tokens=self.written_by(moment + self.server.stops_after),
            completion_tokens=arrived,
            unused_tokens=arrived - self.used,
            first_token_seconds=self.first - self.sent if arrived else None,
            seconds=moment - self.sent,
            began_seconds=self.sent,
        )
