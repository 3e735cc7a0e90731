"""Settings that answer alike are one."""

from __future__ import annotations

import pytest

from trigreason.reasoning import Direction, Thresholds
from trigreason.studies.calibration.setting import Setting

UNDER = Direction.UNDER


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (Setting("srm", Thresholds(n=3)), Setting("srm", Thresholds(rho=0.1)), True),
        (Setting("srm", Thresholds(repeats=0)), Setting("srm"), False),
        (Setting("srm"), Setting("lrm"), False),
        (Setting(thresholds=Thresholds(accept=3)), Setting(), True),
        (Setting("specreason", Thresholds(accept=3)), Setting("specreason"), False),
        (Setting(thresholds=Thresholds(rho=1, tau=2)), Setting(thresholds=Thresholds(rho=1)), True),
        (
            Setting(thresholds=Thresholds(rho=0, direction=UNDER, tau=2)),
            Setting(thresholds=Thresholds(rho=1)),
            True,
        ),
        (Setting(thresholds=Thresholds(rho=0)), Setting(thresholds=Thresholds(rho=1)), False),
        (Setting(thresholds=Thresholds(m=0, k=4)), Setting(thresholds=Thresholds(m=0)), True),
        (Setting(thresholds=Thresholds(k=4)), Setting(), False),
        (Setting(thresholds=Thresholds(tau=1.06)), Setting(), False),
    ],
)
def test_alike(one: Setting, other: Setting, alike: bool) -> None:
    assert (one == other) is alike
    assert (one.key == other.key) is alike


def test_simpler_is_fewer_triggers_then_less_of_the_lrm() -> None:
    by_hand = [
        Thresholds(n=0, rho=1, m=0),
        Thresholds(n=0, m=0),
        Thresholds(n=9, rho=1, m=0),
        Thresholds(n=0),
        Thresholds(n=2, m=0),
        Thresholds(n=1, m=1),
        Thresholds(n=1, m=3),
        Thresholds(n=20),
    ]
    found = [Setting(thresholds=each).complexity for each in by_hand]
    assert found == sorted(found)
    assert len(set(found)) == len(found)


def test_a_setting_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="no method is called"):
        Setting("magic")
