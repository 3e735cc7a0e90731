"""An arm's runs in numbers, from runs that were counted by hand."""

from __future__ import annotations

import json
import random

import pytest

from tests.evaluation.recorded_runs import LRM, PRICES, SRM, run, step, stretch
from trigreason.evaluation.summary import (
    accuracy_by_group,
    accuracy_difference,
    measured,
    percentile,
    summarise,
)
from trigreason.reasoning import Purpose, StopReason, Trigger

OFFLOAD, PRIMING = Trigger.COGNITIVE_OFFLOAD, Trigger.STRATEGIC_PRIMING


def test_one_run_in_numbers() -> None:
    found = measured(
        run(
            steps=[
                step(LRM, 20, trigger=PRIMING),
                step(SRM, 10),
                step(SRM, 8, standing=False),
                step(LRM, 30, trigger=OFFLOAD),
                step(SRM, 40),
            ],
            stretches=[
                stretch(LRM, 20),
                stretch(SRM, 21),
                stretch(LRM, 1, Purpose.JUDGE),
                stretch(LRM, 30),
                stretch(SRM, 45),
            ],
            prices=PRICES,
        )
    )
    assert found.smt == pytest.approx(50 / 100)
    assert found.standing == {SRM: 50, LRM: 50}
    assert (found.drafts, found.draft_tokens, found.judging) == (1, 8, 1)
    assert found.generated == {SRM: 66, LRM: 51}
    assert found.requests == {SRM: 2, LRM: 3}
    assert found.handovers == {PRIMING: 1, OFFLOAD: 1}
    assert found.answer == {SRM: 0, LRM: 3}
    assert found.usd == pytest.approx((200 * 1 + 66 * 2 + 300 * 10 + 51 * 20) / 1e6)
    assert not found.truncated
    assert not found.degraded


def test_means_are_over_questions_and_then_over_their_answers() -> None:
    runs = [
        measured(run("a", 1, seconds=1, right=True)),
        measured(run("b", 1, seconds=4, right=True)),
        measured(run("b", 2, seconds=6, right=False, stop=StopReason.TRUNCATED)),
    ]
    found = summarise(runs)
    assert (found.questions, found.runs) == (2, 3)
    assert found.accuracy is not None
    assert found.accuracy.value == pytest.approx(0.75)
    assert found.seconds.value == pytest.approx((1 + 5) / 2)
    assert (found.seconds_median, found.seconds_p95) == (4, 6)
    assert found.truncated.value == pytest.approx(0.25)
    assert found.smt is not None
    assert found.smt.value == pytest.approx(0.25)
    assert found.thinking.value == 40
    assert found.usd is None, "nobody told a price"
    assert set(found.handovers) == {OFFLOAD}
    shuffled = random.Random(1).sample(runs, len(runs))
    assert summarise(shuffled) == found


def test_no_interval_of_an_amount_goes_below_zero() -> None:
    drafts = [step(standing=False), step(LRM, 30, trigger=OFFLOAD)]
    runs = [
        measured(run("a", steps=drafts, seconds=90, prices=PRICES)),
        measured(run("b", steps=[step()], seconds=1, stretches=[], prices=PRICES)),
    ]
    found = summarise(runs)
    assert found.usd is not None
    for amount in (found.drafts, found.seconds, found.usd, found.handovers[OFFLOAD]):
        assert amount.has_interval
        assert (amount.low, amount.high > 2 * amount.value) == (0, True)


def test_what_nobody_scored_or_thought_is_left_out() -> None:
    found = summarise([measured(run(right=None, steps=())), measured(run("b", right=None))])
    assert found.accuracy is None
    assert found.smt is not None
    assert found.smt.samples == 1
    assert summarise([measured(run(steps=()))]).smt is None
    with pytest.raises(ValueError, match="no run"):
        summarise([])


def test_numbers_are_plain_json_even_of_a_single_run() -> None:
    told = json.loads(json.dumps(summarise([measured(run())]).to_json(), allow_nan=False))
    assert told["seconds"] == {
        "value": 2.0,
        "low": None,
        "high": None,
        "questions": 1,
        "samples": 1,
    }
    assert told["handovers"] == {
        "cognitive_offload": told["seconds"] | {"value": 1.0},
    }
    assert told["accuracy"]["low"] == pytest.approx(0.05)


def test_groups_have_accuracies_of_their_own() -> None:
    runs = [
        measured(run("a", group="x")),
        measured(run("b", group="x", right=False)),
        measured(run("c", group="y")),
        measured(run("d", group="z", right=None)),
    ]
    found = accuracy_by_group(runs)
    assert {name: each.value for name, each in found.items()} == {"x": 0.5, "y": 1.0}
    assert accuracy_by_group(runs[:2]) == {}


def test_arms_are_compared_on_the_questions_that_both_have() -> None:
    first = [measured(run(name, right=True)) for name in "abcd"]
    second = [measured(run(name, right=name in "ab")) for name in "abcx"]
    found = accuracy_difference(first, second)
    assert found is not None
    assert found.questions == 3
    assert found.value == pytest.approx(1 / 3)
    assert accuracy_difference(first, [measured(run("x"))]) is None
    assert accuracy_difference(first, [measured(run("a", right=None))]) is None


@pytest.mark.parametrize(
    ("share", "value"), [(0.5, 2), (0.25, 1), (0.76, 4), (0.95, 4), (1.0, 4), (0.0, 1)]
)
def test_percentiles_are_values_that_there_are(share: float, value: int) -> None:
    assert percentile([3, 1, 4, 2], share) == value
