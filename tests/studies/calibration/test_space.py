"""What is searched: ratios, ρ for a share, and points of the space there and back."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigreason.reasoning import (
    Author,
    CognitiveOffload,
    Direction,
    Message,
    StepEnd,
    StepRecord,
    Thresholds,
    Trace,
)
from trigreason.studies.calibration.space import (
    OFFLOADED,
    Space,
    candidate_rhos,
    rho_for,
    share_beyond,
)

RATIOS = st.lists(st.integers(0, 20).map(lambda n: n / 20), min_size=1, max_size=40).map(sorted)
DIRECTIONS = st.sampled_from(Direction)


def trace(author: Author, *steps: tuple[float, ...]) -> Trace:
    """A run by one author; each step has these probabilities."""
    found = Trace(author.value, Thresholds(), (Message("user", "?"),), {})
    for number, step in enumerate(steps):
        logprobs = tuple(map(math.log, step))
        text = f"step {number}\n\n"
        found.steps.append(
            StepRecord(author, text, len(step), StepEnd.BLANK_LINE, 0, logprobs=logprobs)
        )
    return found


SRM = [trace(Author.SRM, (1.0, 0.5), (1.0, 1.0), (0.99, 0.9, 0.2, 1.0), (0.3,))]
LRM = [trace(Author.LRM, *[(1.0,)] * 8)]


def test_ratios_are_those_of_equation_4() -> None:
    assert Space(Thresholds(), SRM, LRM).ratios(1.05) == [0.0, 0.5, 0.5, 1.0]


@given(RATIOS, DIRECTIONS, st.floats(0, 1))
def test_no_other_candidate_comes_closer_to_the_share(
    ratios: list[float], direction: Direction, share: float
) -> None:
    rho = rho_for(ratios, share, direction)
    distance = abs(share_beyond(ratios, rho, direction) - share)
    for other in [*ratios, *candidate_rhos(ratios)]:
        assert distance <= abs(share_beyond(ratios, other, direction) - share) + 1e-12


@given(RATIOS, DIRECTIONS, st.floats(0, 1))
def test_the_share_beyond_is_what_the_trigger_does(
    ratios: list[float], direction: Direction, rho: float
) -> None:
    offload = CognitiveOffload(1.05, rho, direction)
    fired = sum(offload.fires(ratio) for ratio in ratios)
    assert share_beyond(ratios, rho, direction) == pytest.approx(fired / len(ratios))


def test_priming_is_shorter_than_the_lrms_own_thinking() -> None:
    assert Space(Thresholds(), SRM, LRM).priming == (0, 1, 2, 3, 5)
    assert Space(Thresholds(), SRM, [trace(Author.LRM, (1.0,))]).priming == (0, 1)


DRAWN = st.fixed_dictionaries(
    {
        "n": st.integers(0, 4),
        "tau": st.floats(0.003, 1),
        "direction": st.sampled_from(["over", "under"]),
        "offloaded": st.floats(0, OFFLOADED),
        "k": st.integers(1, 4),
        "m": st.integers(0, 3),
    }
)


@given(DRAWN)
def test_every_point_gives_thresholds_and_thresholds_their_point(
    drawn: dict[str, float | str],
) -> None:
    space = Space(Thresholds(accept=3), SRM, LRM)
    thresholds = space.thresholds(drawn)
    assert thresholds.accept == 3
    back = space.parameters(thresholds)
    if back is None:  # too few steps to offload a share below the bound
        ratios = space.ratios(thresholds.tau)
        assert share_beyond(ratios, thresholds.rho, thresholds.direction) > OFFLOADED
        return
    assert space.thresholds(back) == thresholds


@pytest.mark.parametrize(
    "thresholds",
    [Thresholds(n=20), Thresholds(n=4), Thresholds(n=1, tau=9), Thresholds(n=1, k=9)],
)
def test_thresholds_outside_the_space_have_no_point(thresholds: Thresholds) -> None:
    assert Space(Thresholds(), SRM, LRM).parameters(thresholds) is None


def test_an_srm_without_probabilities_is_refused() -> None:
    silent = trace(Author.SRM, ())
    with pytest.raises(ValueError, match="no step of the SRM has token probabilities"):
        Space(Thresholds(), [silent], LRM)
