"""The switch cues of recorded steps, by the margin of the tokens behind their first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.studies.recordings import LRM, run, step
from trigreason.evaluation.runs import Run
from trigreason.reasoning import Alternative, Author, StepRecord, Thresholds, Token
from trigreason.reasoning.top_logprobs import TopLogprobs
from trigreason.studies.calibration.cue_fitting import fit_cues
from trigreason.studies.calibration.label_free import fit_share


def leading(text: str, leads: Sequence[float], author: Author = Author.SRM) -> StepRecord:
    """A step in which the likeliest token of each position leads the second by so much."""
    tokens = [
        Token("", top=tuple(Alternative("", math.log((1 + sign * lead) / 2)) for sign in (1, -1)))
        for lead in leads
    ]
    made = step(text, [-0.1] * len(leads), author=author)
    return replace(made, top=TopLogprobs.of(tokens))


def runs(count: int = 6) -> list[Run]:
    """Runs in which the SRM is sure behind "so", less behind "then", and hardly behind "hm"."""
    texts = {"So {}.\n\n": 0.9, "Then {}.\n\n": 0.7, "Hm, {}?\n\n": 0.2}
    return [
        run([leading(text.format(at), [0.5, lead, lead]) for text, lead in texts.items()], str(at))
        for at in range(count)
    ]


def test_the_words_are_ordered_by_the_margin_behind_them() -> None:
    found = fit_cues(runs())
    assert [(each.word, each.steps) for each in found.candidates] == [
        ("so", 6),
        ("then", 6),
        ("hm", 6),
    ]
    margins = [each.margin for each in found.candidates]
    assert margins == pytest.approx([0.9, 0.7, 0.2], abs=0.002)
    assert found.margin == pytest.approx(0.6, abs=0.002)
    assert found.steps == 18
    assert found.easy() == ("so", "then")
    assert found.best(1) == ("so",)


def test_long_steps_weigh_more() -> None:
    """The margin is that of all tokens, as the authors pool them."""
    steps = [leading("So 1.\n\n", [0.5] + [0.8] * 9), leading("So 2.\n\n", [0.5, 0.3])]
    (found,) = fit_cues([run([*steps, *steps, *steps])]).candidates
    assert (found.word, found.steps) == ("so", 6)
    assert found.margin == pytest.approx(0.75, abs=0.002)


def test_a_rare_word_is_no_candidate_but_counts_in_the_average() -> None:
    rare = run([leading("Oh, 7.\n\n", [0.5, 0.99])] * 4)
    found = fit_cues([*runs(), rare])
    assert "oh" not in found.best(9)
    assert found.margin > fit_cues(runs()).margin


def test_steps_of_the_lrm_and_of_one_token_say_nothing() -> None:
    others = run([leading("Thus 7.\n\n", [0.9, 0.9], LRM), leading("Now", [0.9])] * 9)
    assert fit_cues([*runs(), others]) == fit_cues(runs())


@pytest.mark.parametrize(
    ("recorded", "told"),
    [
        ([], "whose alternatives are above 0"),
        ([run([step()])], "whose alternatives are above 0"),
        (runs(4), "no word begins 5 steps"),
        ([run([leading("...!", [0.5, 0.9])] * 9)], "no word begins 5 steps"),
    ],
)
def test_too_little_to_fit(recorded: list[Run], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        fit_cues(recorded)


def test_one_kind_of_steps_has_no_easy_ones() -> None:
    alike = fit_cues([run([leading("So 7.\n\n", [0.5, 0.9])] * 9)])
    with pytest.raises(ValueError, match="no larger margins"):
        alike.easy()


@pytest.mark.parametrize(
    ("wanted", "cues"), [(0.9, ("so",)), (0.6, ("so", "then")), (0.3, ("so", "then", "hm"))]
)
def test_a_share_takes_as_many_cues_as_it_needs(wanted: float, cues: tuple[str, ...]) -> None:
    """The LRM begins each run, in the place of a step with a cue."""
    found = fit_share(runs(), wanted, Thresholds(), method="relaygen")
    assert found.thresholds.cues == cues
