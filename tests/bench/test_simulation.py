"""Simulated runs take as long and cost as much as real ones behind the delaying proxy."""

from __future__ import annotations

import pytest

from bench.delay_proxy import Network
from bench.simulation import WITHIN, Sides, Situation, measure, rows
from trigreason.bundled import problems

CLOUD = Network(round_trip=0.2, first_token=1.0, token_rate=60, prefill_rate=2000)
EDGE = Network(first_token=0.3, token_rate=60)
ROWS = ("SpecReason", "TrigReason, per step", "TrigReason, hedge")
ATTEMPTS = 4
"""Other work on the machine slows the real side alone."""


@pytest.mark.slow
async def test_simulated_runs_are_within_ten_per_cent_of_real_ones() -> None:
    situation = Situation("a network", CLOUD, EDGE, cache_unit=1)
    table = [row for row in rows(warm_tokens=32) if row.label in ROWS]
    for attempt in range(ATTEMPTS):
        sides = await measure(situation, table, problems()[:1], at_once=3)
        off = {label: worst(each) for label, each in sides.items()}
        if max(off.values()) <= WITHIN or attempt == ATTEMPTS - 1:
            break
    assert all(each.real for each in sides.values())
    assert all(each <= WITHIN for each in off.values()), off


def worst(sides: Sides) -> float:
    """How far the seconds or the USD are off, as a share of the real ones."""
    seconds, _, usd = sides.figures(cache_unit=1)
    return max(abs(simulated / real - 1) for simulated, real in (seconds, usd))
