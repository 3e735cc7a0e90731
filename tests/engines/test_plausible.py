"""Probabilities that cannot be."""

from __future__ import annotations

import pytest

from trigreason.engines.base import NoLogprobs
from trigreason.engines.plausible import LOOKED_AT, Plausible
from trigreason.reasoning import Token


def looked_at(logprobs: list[float | None], per_arrival: int) -> None:
    plausible = Plausible("a model")
    tokens = [Token(" a", logprob) for logprob in logprobs]
    for at in range(0, len(tokens), per_arrival):
        plausible.look_at(tokens[at : at + per_arrival])


@pytest.mark.parametrize("per_arrival", [1, 5, 100])
@pytest.mark.parametrize("value", [0.0, None])
def test_nearly_all_alike_is_refused(value: float | None, per_arrival: int) -> None:
    for others in ([], [-0.3]):
        logprobs = [*others, *[value] * (LOOKED_AT - len(others))]
        with pytest.raises(NoLogprobs, match="the cognitive offload"):
            looked_at(logprobs, per_arrival)


@pytest.mark.parametrize("value", [0.0, None])
def test_what_may_be(value: float | None) -> None:
    looked_at([value] * (LOOKED_AT - 1), 1)  # too few to tell
    looked_at([-0.3, -0.3, *[value] * (LOOKED_AT - 2)], 1)
    looked_at([*[-0.3] * LOOKED_AT, *[value] * 100], 1)
