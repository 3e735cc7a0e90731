"""Calibration without labels: the ρ and k with which the LRM writes a wanted share.

Nothing is known of right and wrong here. What is chosen meets a budget, no more: which steps the
LRM should write is the direction's business, and only outcomes can tell the direction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trigreason.evaluation.runs import Run
from trigreason.reasoning import Thresholds, Trigger, low_perplexity_ratio, method_entry
from trigreason.studies.auc import Auc
from trigreason.studies.calibration.direction import evidence
from trigreason.studies.calibration.space import LARGEST_K, PRIMING, candidate_rhos, srm_logprobs
from trigreason.studies.replaying import replayed

RHOS = 120
"""Values of ρ that are tried, at most; more lie closer together than a few runs can tell."""

RESAMPLES = 2000
TOLERANCE = 0.05
"""A share that is further from the wanted one than this is said to be missed."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Budgeted:
    """Thresholds for a wanted LRM share, and what is known of the share that will follow.

    ``share`` is the LRM's part of the thinking's tokens, as the recorded runs have it under these
    thresholds. The interval (95 %) is for the share on further questions of the kind, by a
    bootstrap over questions in which ρ is chosen anew from each resample. ``steps`` are the shares
    of steps that the LRM writes because of each trigger.
    """

    method: str
    thresholds: Thresholds
    wanted: float
    share: float
    low: float
    high: float
    steps: dict[Trigger, float]
    runs: int
    left_out: int
    questions: int
    is_srm_alone: bool
    token_ratio: float
    direction: Auc | None

    @property
    def is_met(self) -> bool:
        return abs(self.share - self.wanted) <= TOLERANCE


def fit_share(
    runs: Sequence[Run],
    wanted: float,
    base: Thresholds,
    *,
    method: str = "trigreason",
    token_ratio: float = 1.0,
    seed: int = 0,
) -> Budgeted:
    """Thresholds that bring the LRM's share of the thinking to ``wanted``.

    Those that are not chosen are as in ``base``.

    TrigReason's k is the smallest with which requests take no more than half of what priming
    leaves, or else m is 0; ρ then takes the rest. Of another method n is chosen, where it decides
    by that. ``token_ratio`` is an LRM step's tokens over an SRM step's. Runs of the SRM alone are
    used where there are any, else all of them, as far as it wrote.

    Raises:
        ValueError: no run has steps of the SRM with token probabilities, the share is out of
            range, priming alone takes more than it, or the method has nothing to choose.
    """
    if not 0 < wanted < 1:
        raise ValueError(f"the LRM's share must lie between 0 and 1, not {wanted:g}")
    alone = [run for run in runs if run.trace.method == "srm"]
    given, runs = len(runs), alone or runs
    if method == "trigreason":
        settings = _offloading(runs, wanted, base, token_ratio)
    elif "n" in method_entry(method).decides_by:
        settings = [replace(base, n=n) for n in PRIMING]
    else:
        raise ValueError(f"{method} decides by neither ρ nor n, so there is nothing to choose")
    replays = replayed(runs, settings, method=method, token_ratio=token_ratio)
    by_lrm, total = replays.lrm_tokens, replays.lrm_tokens + replays.srm_tokens
    shares = by_lrm.sum(axis=1) / total.sum(axis=1)
    chosen = _nearest(shares, wanted)
    owners, questions = _owners(replays.runs)
    errors = _errors(by_lrm, total, shares, wanted, _resampled(owners, questions, seed))
    low, high = np.clip(shares[chosen] + np.percentile(errors, [2.5, 97.5]), 0.0, 1.0)
    return Budgeted(
        method=method,
        thresholds=settings[chosen],
        wanted=wanted,
        share=float(shares[chosen]),
        low=float(low),
        high=float(high),
        steps={each: float(replays.share(each)[chosen]) for each in replays.steps_by},
        runs=len(replays.runs),
        left_out=given - len(replays.runs),
        questions=questions,
        is_srm_alone=bool(alone),
        token_ratio=token_ratio,
        direction=evidence(runs, base.tau, seed),
    )


def _offloading(
    runs: Sequence[Run], wanted: float, base: Thresholds, token_ratio: float
) -> list[Thresholds]:
    """``base`` with k and m chosen, under every ρ that parts the recorded steps differently."""
    logprobs = srm_logprobs([run.trace for run in runs])
    found = (low_perplexity_ratio(each, base.tau) for each in logprobs)
    ratios = [ratio for ratio in found if ratio is not None]
    if not ratios:
        raise ValueError(
            "no step of the SRM has token probabilities; record runs of a server with logprobs"
        )
    base = _with_request(runs, wanted, base, token_ratio)
    return [replace(base, rho=rho) for rho in _spread(candidate_rhos(ratios))]


def _with_request(
    runs: Sequence[Run], wanted: float, base: Thresholds, token_ratio: float
) -> Thresholds:
    """``base`` with k and m: how soon hesitation asks, so that offload has its half as well."""
    quiet = replace(base, rho=1.0, m=0)
    asking = [replace(base, rho=1.0, k=k) for k in range(1, LARGEST_K + 1)]
    replays = replayed(runs, [quiet, *asking], token_ratio=token_ratio)
    primed, *shares = (1 - replays.smt).tolist()
    if primed >= wanted:
        raise ValueError(
            f"priming with n = {base.n} alone gives the LRM {primed:.0%} of the thinking; "
            "lower --n, or raise --lrm-share"
        )
    for setting, share in zip(asking, shares, strict=True):
        if share - primed <= (wanted - primed) / 2:
            return replace(base, k=setting.k)
    return replace(base, m=0)


def _spread(values: list[float]) -> list[float]:
    """At most :data:`RHOS` of the values, evenly, both ends among them."""
    if len(values) <= RHOS:
        return values
    places = np.linspace(0, len(values) - 1, RHOS).round().astype(int)
    return [values[place] for place in places.tolist()]


def _nearest(shares: Floats, wanted: float) -> int:
    """The setting next to the wanted share; where several are, the middle one."""
    distance = np.abs(shares - wanted)
    equal = np.flatnonzero(np.isclose(distance, distance.min(), atol=1e-12))
    return int(equal[len(equal) // 2])


def _errors(
    by_lrm: Floats, total: Floats, shares: Floats, wanted: float, resamples: Floats
) -> Floats:
    """For each resample, how far the share of all runs is above the one that it makes believe.

    A resample stands to all the runs as they stand to all questions: ρ is chosen by it, and what
    it takes for the share is not what the chosen ρ then gives.
    """
    believed = (resamples @ by_lrm.T) / (resamples @ total.T)
    chosen = [_nearest(each, wanted) for each in believed]
    return shares[chosen] - believed[np.arange(len(chosen)), chosen]


def _owners(runs: Sequence[Run]) -> tuple[NDArray[np.int64], int]:
    """For each run the number of its question, and how many questions there are."""
    numbers: dict[str, int] = {}
    owners = [numbers.setdefault(run.question, len(numbers)) for run in runs]
    return np.array(owners), len(numbers)


def _resampled(owners: NDArray[np.int64], questions: int, seed: int) -> Floats:
    """Weights of the runs in each resample of the questions: (resamples, runs)."""
    even = np.full(questions, 1 / questions)
    drawn = np.random.default_rng(seed).multinomial(questions, even, size=RESAMPLES)
    return drawn[:, owners].astype(np.float64)
