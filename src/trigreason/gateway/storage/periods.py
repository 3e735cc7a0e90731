"""The periods of limits, all in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import StrEnum

_MINUTE = 60
DAY = 86_400


class Period(StrEnum):
    """A calendar minute, day or month. Times are seconds since 1970."""

    MINUTE = "minute"
    DAY = "day"
    MONTH = "month"

    def start(self, at: float) -> int:
        """When the period that contains ``at`` began."""
        match self:
            case Period.MINUTE:
                return int(at // _MINUTE) * _MINUTE
            case Period.DAY:
                return int(at // DAY) * DAY
            case Period.MONTH:
                midnight = datetime.fromtimestamp(Period.DAY.start(at), UTC)
                return int(midnight.replace(day=1).timestamp())

    def rest(self, at: float) -> float:
        """Seconds from ``at`` to the end of its period."""
        start = self.start(at)
        match self:
            case Period.MINUTE:
                return start + _MINUTE - at
            case Period.DAY:
                return start + DAY - at
            case Period.MONTH:
                in_next_month = datetime.fromtimestamp(start, UTC) + timedelta(days=32)
                return self.start(in_next_month.timestamp()) - at
