"""STEER's threshold from recorded runs without labels: a mixture of two Gaussians.

Steps are taken to be of two kinds, and the confidence of each kind to be normal. The posterior of
the less confident kind is 1/2 at one confidence between the two means, and below it the LRM writes
the step: so the mixture comes to one number, :attr:`ConfidenceMixture.threshold`.

The wider of two Gaussians wins far out on both sides, so the posterior may cross 1/2 a second
time: above the higher mean, where the surest steps would count as unsure, or below the lower one,
where the least sure would count as sure. That comes from the shape of the tails and says nothing
of steps: only the crossing between the means counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from statistics import NormalDist

import numpy as np
from sklearn.mixture import GaussianMixture

from trigreason.evaluation.runs import Run
from trigreason.reasoning.tokens import confidence
from trigreason.studies.calibration.space import srm_logprobs
from trigreason.studies.signals import srm_runs

FEWEST = 30
"""A mixture is fitted to so many different confidences at least."""

STARTS = 5
"""EM is begun from so many starts, of which the likeliest result counts."""

HALVINGS = 60
"""How often the interval with the threshold is halved: to less than any float's precision."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the two Gaussians: its share of the steps, and their confidence (0 to 1)."""

    share: float
    mean: float
    deviation: float

    def log_density(self, at: float) -> float:
        """The logarithm of the share times the density, up to a constant that all kinds have."""
        distance = NormalDist(self.mean, self.deviation).zscore(at)
        return log(self.share / self.deviation) - distance**2 / 2


@dataclass(frozen=True, slots=True)
class ConfidenceMixture:
    """The two kinds of steps, and how many ``steps`` they were fitted to."""

    unsure: Kind
    sure: Kind
    steps: int

    def favours_unsure(self, at: float) -> bool:
        """Whether the posterior of the less confident kind is above 1/2."""
        return self.unsure.log_density(at) > self.sure.log_density(at)

    @property
    def parts(self) -> bool:
        """Whether each kind is the likelier one at its own mean."""
        return self.favours_unsure(self.unsure.mean) and not self.favours_unsure(self.sure.mean)

    @property
    def threshold(self) -> float:
        """Where the posterior is 1/2, between the means; there is one place if it ``parts``."""
        low, high = self.unsure.mean, self.sure.mean
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            low, high = (middle, high) if self.favours_unsure(middle) else (low, middle)
        return high


def confidences(runs: Sequence[Run]) -> list[float]:
    """The confidence of every SRM step, drafts included, blank ones not; rising.

    Raises:
        ValueError: no step has token probabilities.
    """
    each = map(confidence, srm_logprobs([run.trace for run in runs]))
    known = sorted(value for value in each if value is not None)
    if not known:
        raise ValueError(
            "no step of the SRM has token probabilities; record runs of a server with logprobs"
        )
    return known


def fit_confidence(runs: Sequence[Run], seed: int = 0) -> ConfidenceMixture:
    """The mixture of the SRM's steps, by expectation maximisation.

    Raises:
        ValueError: the steps have no or too few confidences, or are of one kind.
    """
    known = confidences(srm_runs(runs))
    different = len(set(known))
    if different < FEWEST:
        raise ValueError(
            f"the SRM's steps have {different} different confidences; a mixture needs {FEWEST}: "
            "record more runs, or give --lrm-share"
        )
    fitted = GaussianMixture(2, n_init=STARTS, random_state=seed).fit(np.array(known)[:, None])
    kinds = zip(fitted.weights_, fitted.means_.ravel(), fitted.covariances_.ravel(), strict=True)
    unsure, sure = sorted(
        (
            Kind(float(share), float(mean), float(variance) ** 0.5)
            for share, mean, variance in kinds
        ),
        key=lambda kind: kind.mean,
    )
    mixture = ConfidenceMixture(unsure, sure, len(known))
    if not mixture.parts:
        raise ValueError(
            "two Gaussians do not part the confidence of the SRM's steps, which look to be of one "
            "kind; give --lrm-share"
        )
    return mixture
