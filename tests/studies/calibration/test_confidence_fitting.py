"""The mixture that parts sure from unsure steps, and its one threshold."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.mixture import GaussianMixture

from tests.studies.recordings import LRM, run, step
from trigreason.evaluation.runs import Run
from trigreason.studies.calibration.confidence_fitting import (
    ConfidenceMixture,
    Kind,
    confidences,
    fit_confidence,
)


def runs(*kinds: tuple[int, float, float], seed: int = 0) -> list[Run]:
    """SRM runs of one step each: of every kind, so many of this mean and deviation."""
    rng = random.Random(seed)
    drawn = [rng.gauss(mean, sd) for count, mean, sd in kinds for _ in range(count)]
    levels = [min(1.0, max(1e-6, each)) for each in drawn]
    return [run([step(logprobs=[math.log(each)] * 2)], str(at)) for at, each in enumerate(levels)]


def test_two_kinds_are_found() -> None:
    found = fit_confidence(runs((100, 0.7, 0.05), (300, 0.95, 0.01)))
    assert found.steps == 400
    assert found.unsure.share == pytest.approx(0.25, abs=0.02)
    assert (found.unsure.mean, found.sure.mean) == pytest.approx((0.7, 0.95), abs=0.01)
    assert (found.unsure.deviation, found.sure.deviation) == pytest.approx((0.05, 0.01), rel=0.2)
    assert 0.9 < found.threshold < 0.94


@pytest.mark.parametrize(
    ("unsure", "sure", "threshold"),
    [
        (Kind(0.5, 0.6, 0.1), Kind(0.5, 0.8, 0.1), 0.7),
        (Kind(0.8, 0.6, 0.1), Kind(0.2, 0.8, 0.1), 0.7 + math.log(4) * 0.01 / 0.2),
        (Kind(0.2, 0.6, 0.1), Kind(0.8, 0.8, 0.1), 0.7 - math.log(4) * 0.01 / 0.2),
    ],
)
def test_with_equal_spreads_the_threshold_has_a_formula(
    unsure: Kind, sure: Kind, threshold: float
) -> None:
    assert ConfidenceMixture(unsure, sure, 9).threshold == pytest.approx(threshold)


def test_of_two_crossings_the_one_between_the_means_counts() -> None:
    """The wide kind is the likelier one far above the narrow one, too."""
    found = ConfidenceMixture(Kind(0.5, 0.7, 0.2), Kind(0.5, 0.8, 0.02), 9)
    assert found.favours_unsure(0.99)
    assert 0.7 < found.threshold < 0.8


@pytest.mark.parametrize(
    ("unsure", "sure", "parts"),
    [
        (Kind(0.5, 0.6, 0.1), Kind(0.5, 0.8, 0.1), True),
        (Kind(0.01, 0.79, 0.1), Kind(0.99, 0.8, 0.1), False),
        (Kind(0.99, 0.79, 0.1), Kind(0.01, 0.8, 0.1), False),
    ],
)
def test_kinds_that_do_not_part(unsure: Kind, sure: Kind, parts: bool) -> None:
    assert ConfidenceMixture(unsure, sure, 9).parts is parts


def likelier(found: ConfidenceMixture, levels: Sequence[float]) -> list[bool]:
    """Whether scikit-learn's posterior of the unsure kind is above 1/2."""
    mixture = GaussianMixture(2)
    kinds = (found.unsure, found.sure)
    mixture.weights_ = np.array([kind.share for kind in kinds])
    mixture.means_ = np.array([[kind.mean] for kind in kinds])
    mixture.covariances_ = np.array([[[kind.deviation**2]] for kind in kinds])
    mixture.precisions_cholesky_ = np.array([[[1 / kind.deviation]] for kind in kinds])
    return [posterior > 0.5 for posterior, _ in mixture.predict_proba(np.array(levels)[:, None])]


@given(
    st.floats(0.05, 0.95),
    st.floats(0.1, 0.5),
    st.floats(0.05, 0.4),
    st.floats(0.01, 0.3),
    st.floats(0.01, 0.3),
)
def test_between_the_means_the_threshold_decides_as_the_posterior_does(
    share: float, mean: float, apart: float, wide: float, narrow: float
) -> None:
    found = ConfidenceMixture(
        Kind(share, mean, wide), Kind(1 - share, mean + apart, narrow), steps=9
    )
    assume(found.parts)
    levels = [mean + apart * part / 20 for part in range(21)]
    clear = [each for each in levels if abs(each - found.threshold) > 1e-9]
    assert likelier(found, clear) == [each < found.threshold for each in clear]


def test_confidence_is_of_srm_steps_alone() -> None:
    steps = [step(logprobs=[-0.2, None, -0.4]), step(" \n\n"), step(author=LRM), step(logprobs=[])]
    assert confidences([run(steps)]) == pytest.approx([math.exp(-0.3)])


@pytest.mark.parametrize(
    ("recorded", "told"),
    [
        ([], "record runs of a server with logprobs"),
        (runs((29, 0.5, 0.1)), "have 29 different confidences; a mixture needs 30"),
        ([run([step(logprobs=[-0.1])], str(at)) for at in range(99)], "have 1 different"),
    ],
)
def test_too_little_to_fit(recorded: list[Run], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        fit_confidence(recorded)
