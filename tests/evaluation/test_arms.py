"""An arm survives being written down as an Inspect model's arguments."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigreason.budget import Budget
from trigreason.engines.base import Sampling
from trigreason.evaluation.arms import Arm, of_methods, seed_for
from trigreason.reasoning import Direction, Thresholds

arms = st.builds(
    Arm,
    method=st.sampled_from(["trigreason", "specreason", "rsd", "srm", "lrm"]),
    thresholds=st.builds(
        Thresholds,
        n=st.integers(0, 50),
        rho=st.floats(0, 1),
        delta=st.floats(0, 1),
        direction=st.sampled_from(Direction),
        expressions=st.just(("hm",)) | st.just(Thresholds().expressions),
    ),
    sampling=st.builds(Sampling, temperature=st.floats(0, 2)),
    budget=st.builds(Budget, thinking_tokens=st.integers(1, 32768)),
    request_per_step=st.booleans(),
)


@given(arms)
def test_arguments_make_the_same_arm_again(arm: Arm) -> None:
    assert Arm().with_args(json.loads(json.dumps(arm.to_args()))) == arm


def test_a_delta_is_told_even_at_its_default() -> None:
    """The pair that reads it back may have another one; other methods' arguments stay as before."""
    own = Arm(thresholds=Thresholds(delta=0.5))
    assert own.with_args(Arm(method="rsd").to_args()) == Arm(method="rsd")
    assert "delta" not in Arm(method="specreason").to_args()


def test_arguments_change_nothing_else() -> None:
    arm = Arm(thresholds=Thresholds(n=3))
    assert arm.with_args({"rho": 0.5}) == Arm(thresholds=Thresholds(n=3, rho=0.5))


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ({"roh": 1}, "unknown argument 'roh'"),
        ({"seed": 1}, "unknown argument 'seed'"),
        ({"method": "magic"}, "no method is called 'magic'"),
        ({"rho": 2}, "rho"),
        ({"thinking_tokens": 0}, "leaves no room"),
    ],
)
def test_wrong_arguments_are_refused(args: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Arm().with_args(args)


def test_a_method_takes_the_thresholds_that_it_decides_by() -> None:
    wanted = Thresholds(n=3, rho=0.5, accept=5, repeats=2)
    trigreason, specreason, lrm = of_methods(Arm(), ["trigreason", "specreason", "lrm"], wanted)
    assert trigreason.thresholds == Thresholds(n=3, rho=0.5, repeats=2)
    assert specreason.thresholds == Thresholds(accept=5, repeats=2)
    assert lrm == Arm(method="lrm", thresholds=Thresholds(repeats=2))
    with pytest.raises(ValueError, match="rho"):
        of_methods(Arm(), ["lrm"], Thresholds(rho=2))


def test_each_epoch_and_question_has_a_seed_of_its_own() -> None:
    seeds = {seed_for(0, str(sample), epoch) for sample in range(50) for epoch in range(1, 17)}
    assert len(seeds) == 50 * 16
    assert all(0 <= seed < 2**31 for seed in seeds)
    assert seed_for(0, "a", 1) == seed_for(0, "a", 1) != seed_for(1, "a", 1)
