"""What a run does when a model fails."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ALL_RETRIES = 4


class Away(StrEnum):
    """What to do when a model of the pair, or its scorer, is unavailable."""

    GO_ON = "go_on"
    """The other model goes on alone, and the result says that it is degraded."""

    FAIL = "fail"
    """The run ends with the error, which carries the text written so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailurePolicy:
    """Transient failures are retried, continuing from the text written so far.

    Attributes:
        retries: most retries in a row that bring no new text; one author's turn never has more
            than ``ALL_RETRIES`` times as many, even if they bring text.
        backoff_seconds: longest wait before the first retry; it doubles with each. Waits are drawn
            uniformly between 0 and that, so that clients do not return all at once.
        longest_wait_seconds: no wait is longer, and a server whose Retry-After is longer counts
            as unavailable.
        lrm_away, srm_away: what to do when retries do not help.
        scorer_away: the same for the scorer, without which the LRM goes on alone, as no SRM step
            can be rated.
    """

    retries: int = 4
    backoff_seconds: float = 0.5
    longest_wait_seconds: float = 20.0
    lrm_away: Away = Away.GO_ON
    srm_away: Away = Away.GO_ON
    scorer_away: Away = Away.GO_ON

    @property
    def most_retries(self) -> int:
        """The most retries of one turn, even if they bring text."""
        return self.retries * ALL_RETRIES

    def __post_init__(self) -> None:
        if self.retries < 0:
            raise ValueError(f"retries must be 0 or more, not {self.retries}")
        for name in ("backoff_seconds", "longest_wait_seconds"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be 0 or more, not {getattr(self, name)}")
