"""Which setting is recommended, by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import pytest

from trigreason.reasoning import Thresholds
from trigreason.studies.calibration.choice import recommended, t_of
from trigreason.studies.calibration.experiment import Results
from trigreason.studies.calibration.ledger import RunOutcome
from trigreason.studies.calibration.setting import Setting


def results(setting: Setting, rights: Sequence[int], smts: Sequence[float]) -> Results:
    """One run per question, with these outcomes."""
    outcomes = {
        str(number): (
            RunOutcome(
                right=bool(right),
                smt=smt,
                usd=1 - smt,
                lrm_tokens=0,
                lrm_requests=0,
                drafts=0,
                seconds=0,
                truncated=False,
            ),
        )
        for number, (right, smt) in enumerate(zip(rights, smts, strict=True))
    }
    return Results(setting, outcomes)


DEFAULT = results(Setting(thresholds=Thresholds(n=9)), [1, 1, 0, 0], [0.5, 0.5, 0.5, 0.5])
SURE = results(Setting(thresholds=Thresholds(n=8)), [1, 1, 1, 0], [0.6, 0.7, 0.6, 0.7])
SLIGHT = results(Setting(thresholds=Thresholds(n=7)), [1, 1, 1, 0], [0.5, 0.5, 0.5, 0.6])
CHEAP = results(Setting(thresholds=Thresholds(n=6)), [1, 0, 0, 0], [0.9, 0.9, 0.9, 0.9])
RIGHT = results(Setting(thresholds=Thresholds(n=5)), [1, 1, 1, 1], [0.4, 0.4, 0.4, 0.4])
SAVES = results(Setting(thresholds=Thresholds(n=9, k=1)), [1, 1, 0, 0], [0.5, 0.5, 0.6, 0.7])
SAME = results(Setting(thresholds=Thresholds(n=4)), [1, 1, 0, 0], [0.5, 0.5, 0.5, 0.5])
ALONE = results(Setting("srm"), [1, 1, 1, 1], [1, 1, 1, 1])


@pytest.mark.parametrize(
    ("candidates", "wanted"),
    [
        ([DEFAULT], DEFAULT),
        ([DEFAULT, CHEAP, RIGHT], DEFAULT),
        ([DEFAULT, SURE], SURE),
        ([SLIGHT, DEFAULT], SLIGHT),
        ([DEFAULT, SAME], SAME),
        ([DEFAULT, SAVES, SAME], SAVES),
        ([DEFAULT, SAVES, SLIGHT, SURE], SURE),
        ([DEFAULT, ALONE], DEFAULT),
    ],
    ids=[
        "alone",
        "only trades",
        "better in both",
        "slightly",
        "equal but simpler",
        "saves",
        "all",
        "no triggers",
    ],
)
@pytest.mark.parametrize("thrift", ["smt", "usd"])
def test_who_is_recommended(candidates: list[Results], wanted: Results, thrift: str) -> None:
    assert thrift in ("smt", "usd")
    assert recommended(candidates, DEFAULT, "smt" if thrift == "smt" else "usd") is wanted


def test_costs_must_be_known_of_every_run() -> None:
    known = results(Setting(), [1, 1], [0.5, 0.6])
    first = known.outcomes["0"][0]
    unknown = msgspec.structs.replace(first, usd=None)
    partly = Results(Setting(), {**known.outcomes, "0": (first, unknown)})
    assert known.thrifts("usd") == {"0": [-0.5], "1": [-0.4]}
    with pytest.raises(ValueError, match="what every run costs is not known"):
        partly.thrifts("usd")


def test_t_by_hand() -> None:
    ours = {"a": [1.0, 0.0], "b": [1.0], "c": [1.0], "d": [0.0]}
    theirs = {"a": [0.5], "b": [0.0], "c": [1.0], "e": [1.0]}
    mean, deviation = 1 / 3, math.sqrt(1 / 3)  # of the differences 0, 1 and 0
    assert t_of(ours, theirs) == pytest.approx(mean / deviation * math.sqrt(3))
    assert t_of(theirs, ours) == pytest.approx(-t_of(ours, theirs))


@pytest.mark.parametrize(
    ("ours", "theirs", "t"),
    [
        ({"a": [1.0]}, {"a": [0.0]}, 0.0),
        ({"a": [1.0], "b": [1.0]}, {"a": [0.0], "b": [0.0]}, math.inf),
        ({"a": [0.0], "b": [0.0]}, {"a": [1.0], "b": [1.0]}, -math.inf),
        ({"a": [0.0], "b": [1.0]}, {"a": [1.0], "b": [0.0]}, 0.0),
    ],
    ids=["one question", "always better", "always worse", "even"],
)
def test_t_without_spread(
    ours: dict[str, list[float]], theirs: dict[str, list[float]], t: float
) -> None:
    assert t_of(ours, theirs) == t
