"""What becomes of a run when a model fails."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

ALL_RETRIES = 4


class Away(StrEnum):
    """What to do when one model of the pair stays away."""

    GO_ON = "go_on"
    """The other one goes on alone, and the result says that it is degraded."""

    FAIL = "fail"
    """The run ends with the error, which carries what was written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailurePolicy:
    """Failures that may pass are tried again, from what was written.

    Attributes:
        retries: attempts that may follow each other without any new text; of one author's turn
            never more than ``ALL_RETRIES`` times as many, whatever they bring.
        backoff_seconds: longest wait before the first of them; it doubles with each. Waits are
            drawn evenly between nothing and that, so that clients do not return all at once.
        longest_wait_seconds: no wait is longer, and a server's Retry-After beyond it counts as
            its staying away.
        lrm_away, srm_away: what to do when retries do not help.
    """

    retries: int = 4
    backoff_seconds: float = 0.5
    longest_wait_seconds: float = 20.0
    lrm_away: Away = Away.GO_ON
    srm_away: Away = Away.GO_ON

    @property
    def most_retries(self) -> int:
        """The attempts of one turn, however many of them bring text."""
        return self.retries * ALL_RETRIES

    def __post_init__(self) -> None:
        if self.retries < 0:
            raise ValueError(f"retries must be 0 or more, not {self.retries}")
        for name in ("backoff_seconds", "longest_wait_seconds"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be 0 or more, not {getattr(self, name)}")
