"""Minutes, days and months in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigreason.gateway.storage.periods import Period


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("period", "now", "start", "rest"),
    [
        (Period.MINUTE, "2026-03-04T05:06:07.5", "2026-03-04T05:06", 52.5),
        (Period.MINUTE, "2026-03-04T05:06:00", "2026-03-04T05:06", 60),
        (Period.DAY, "2026-03-04T23:00:00", "2026-03-04", 3600),
        (Period.MONTH, "2024-02-29T12:00:00", "2024-02-01", 43200),
        (Period.MONTH, "2025-12-31T23:59:59", "2025-12-01", 1),
        (Period.MONTH, "2026-01-01T00:00:00", "2026-01-01", 31 * 86400),
    ],
)
def test_a_moment(period: Period, now: str, start: str, rest: float) -> None:
    assert period.start(at(now)) == at(start)
    assert period.rest(at(now)) == rest


@given(st.sampled_from(Period), st.floats(0, 4e9))
def test_one_follows_the_other(period: Period, now: float) -> None:
    assert period.start(now) <= now
    following = now + period.rest(now)
    assert following > now
    assert period.start(following + 0.001) == round(following)
    assert period.start(following - 0.001) == period.start(now)
