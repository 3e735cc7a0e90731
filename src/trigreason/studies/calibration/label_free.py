"""Calibration without labels: the ρ and k with which the LRM writes a wanted share.

The choice only meets a budget, since nothing is known of right and wrong. Which steps the LRM
should write depends on the direction, and only outcomes can tell the direction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from trigreason.evaluation.runs import Run
from trigreason.reasoning import (
    Author,
    Thresholds,
    Trigger,
    low_perplexity_ratio,
    method_entry,
)
from trigreason.studies.auc import Auc
from trigreason.studies.calibration.confidence_fitting import confidences
from trigreason.studies.calibration.cue_fitting import fit_cues
from trigreason.studies.calibration.direction import evidence
from trigreason.studies.calibration.space import LARGEST_K, PRIMING, candidate_rhos, srm_logprobs
from trigreason.studies.replaying import replayed
from trigreason.studies.signals import is_solo, seen_steps, srm_runs

RHOS = 120
"""The most values of ρ that are tried; a few runs cannot tell more of them apart."""

RESAMPLES = 2000
TOLERANCE = 0.05
"""The wanted share counts as missed where the share is further from it than this."""

VALUES: Mapping[str, Sequence[float]] = {
    "share": [step / 100 for step in range(1, 100)],
    "every": range(1, 31),
    "n": PRIMING,
    "m": range(13),
}
"""The values of a threshold that are tried."""

Floats = NDArray[np.float64]
_Value = TypeVar("_Value", int, float)


@dataclass(frozen=True, slots=True)
class Budgeted:
    """Thresholds for a wanted LRM share, and an estimate of the share that they will give.

    If no share was ``wanted``, the thresholds were given. ``share`` is the LRM's share of the
    thinking tokens when the recorded runs are replayed under these thresholds. The interval (95 %)
    is for the share on further questions of this kind, by a bootstrap over questions that chooses
    ρ anew for each resample. ``steps`` are the shares of steps that the LRM writes because of each
    trigger.
    """

    method: str
    thresholds: Thresholds
    wanted: float | None
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
        return self.wanted is None or abs(self.share - self.wanted) <= TOLERANCE


def fit_share(
    runs: Sequence[Run],
    wanted: float | None,
    base: Thresholds,
    *,
    method: str = "trigreason",
    token_ratio: float = 1.0,
    seed: int = 0,
) -> Budgeted:
    """Thresholds that bring the LRM's share of the thinking to ``wanted``.

    Thresholds that are not chosen are as in ``base``; without a wanted share, that is all of them.

    TrigReason's k is the smallest with which requests take at most half of what priming leaves;
    if none does, m is 0. ρ then takes the rest. For another method one threshold is chosen: the
    first of risk, delta, entropy, confidence, cues, share, every, n and m that it decides by.
    ``token_ratio`` is an LRM step's tokens over an SRM step's. Runs of the SRM alone are used if
    there are any, else the SRM's steps of all runs; for delta, the runs with rewards.

    Raises:
        ValueError: no run has steps of the SRM with token probabilities, the share is out of
            range, priming alone takes more than it, or the method has nothing to choose.
    """
    if wanted is not None and not 0 < wanted < 1:
        raise ValueError(f"the LRM's share must lie between 0 and 1, not {wanted:g}")
    total_runs = len(runs)
    is_rated = "delta" in method_entry(method).decides_by
    runs = _rated_runs(runs) if is_rated else srm_runs(runs)
    if wanted is None:
        settings = [base]
    elif method == "trigreason":
        settings = _offloading(runs, wanted, base, token_ratio)
    else:
        settings = _settings(runs, base, method)
    replays = replayed(runs, settings, method=method, token_ratio=token_ratio)
    by_lrm, total = replays.lrm_tokens, replays.lrm_tokens + replays.srm_tokens
    shares = by_lrm.sum(axis=1) / total.sum(axis=1)
    nearest_to = shares[0] if wanted is None else wanted
    chosen = _nearest(shares, nearest_to)
    owners, questions = _owners(replays.runs)
    errors = _errors(by_lrm, total, shares, nearest_to, _resampled(owners, questions, seed))
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
        left_out=total_runs - len(replays.runs),
        questions=questions,
        is_srm_alone=any(map(is_solo, runs)),
        token_ratio=token_ratio,
        direction=evidence(runs, base.tau, seed),
    )


def _offloading(
    runs: Sequence[Run], wanted: float, base: Thresholds, token_ratio: float
) -> list[Thresholds]:
    """``base`` with k and m chosen, once for every ρ that splits the recorded steps differently."""
    logprobs = srm_logprobs([run.trace for run in runs])
    found = (low_perplexity_ratio(each, base.tau) for each in logprobs)
    ratios = [ratio for ratio in found if ratio is not None]
    if not ratios:
        raise ValueError(
            "no step of the SRM has token probabilities; record runs of a server with logprobs"
        )
    base = _with_request(runs, wanted, base, token_ratio)
    return [replace(base, rho=rho) for rho in _spread(candidate_rhos(ratios))]


def _settings(runs: Sequence[Run], base: Thresholds, method: str) -> list[Thresholds]:
    """``base`` with each value of the threshold that changes the LRM's share under a method."""
    decides_by = method_entry(method).decides_by
    if "risk" in decides_by:
        return [replace(base, risk=risk) for risk in _spread(_risks(runs, base))]
    if "delta" in decides_by:
        return [replace(base, delta=delta) for delta in _spread(_rewards(runs))]
    if "entropy" in decides_by:
        return [replace(base, entropy=nats) for nats in _spread(_first_entropies(runs))]
    if "confidence" in decides_by:
        known = sorted({round(each, 4) for each in confidences(runs)} | {1.0})
        return [replace(base, confidence=each) for each in _spread(known)]
    if "cues" in decides_by:
        found = fit_cues(runs)
        counts = range(1, len(found.candidates) + 1)
        return [replace(base, cues=found.best(count)) for count in _spread(counts)]
    for name, values in VALUES.items():
        if name in decides_by:
            changes: list[dict[str, Any]] = [{name: value} for value in values]
            return [replace(base, **change) for change in changes]
    raise ValueError(f"{method} decides by no threshold that changes the LRM's share")


def _risks(runs: Sequence[Run], base: Thresholds) -> list[float]:
    """The risks of SRM steps by the model of ``base``, rising, each once, and 1 for never."""
    model = base.risk_model
    if model is None:
        raise ValueError("there is no risk model to choose a risk for")
    seen = (step.signals for run in runs for step in seen_steps(run, base))
    return sorted({round(model.risk(signals), 4) for signals in seen} | {1.0})


def _rated_runs(runs: Sequence[Run]) -> Sequence[Run]:
    rated = [run for run in runs if run.trace.scorer is not None]
    if not rated:
        raise ValueError("no step of the SRM has a reward; record runs with --method rsd")
    return rated


def _rewards(runs: Sequence[Run]) -> list[float]:
    """The recorded rewards of SRM steps, rising, each once, with the ends 0 and 1."""
    found = (step.reward for run in runs for step in run.trace.steps)
    return sorted({round(each, 4) for each in found if each is not None} | {0.0, 1.0})


def _first_entropies(runs: Sequence[Run]) -> list[float]:
    """The entropies of the first tokens of SRM steps, rising, each once."""
    firsts = (
        step.top.first_entropy
        for run in runs
        for step in run.trace.steps
        if step.author is Author.SRM
    )
    nats = {round(each, 4) for each in firsts if each is not None}
    if not nats:
        raise ValueError(
            "no step of the SRM has the logprobs of its likeliest tokens; record runs of a pair "
            "whose alternatives are above 0"
        )
    return sorted(nats)


def _with_request(
    runs: Sequence[Run], wanted: float, base: Thresholds, token_ratio: float
) -> Thresholds:
    """``base`` with k and m chosen, so that requests leave half of the share to the offload."""
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


def _spread(values: Sequence[_Value]) -> Sequence[_Value]:
    """At most :data:`RHOS` of the values, evenly spaced, with both ends."""
    if len(values) <= RHOS:
        return values
    places = np.linspace(0, len(values) - 1, RHOS).round().astype(int)
    return [values[place] for place in places.tolist()]


def _nearest(shares: Floats, wanted: float) -> int:
    """The setting whose share is closest to the wanted one; of several, the middle one."""
    distance = np.abs(shares - wanted)
    equal = np.flatnonzero(np.isclose(distance, distance.min(), atol=1e-12))
    return int(equal[len(equal) // 2])


def _errors(
    by_lrm: Floats, total: Floats, shares: Floats, wanted: float, resamples: Floats
) -> Floats:
    """For each resample, the share on all runs minus the share on the resample, at its own ρ.

    A resample is to all the runs as these are to all questions: ρ is chosen by the resample, and
    the share that it shows is not the share that this ρ gives on all runs.
    """
    believed = (resamples @ by_lrm.T) / (resamples @ total.T)
    chosen = [_nearest(each, wanted) for each in believed]
    return shares[chosen] - believed[np.arange(len(chosen)), chosen]


def _owners(runs: Sequence[Run]) -> tuple[NDArray[np.int64], int]:
    """For each run the index of its question, and the number of questions."""
    numbers: dict[str, int] = {}
    owners = [numbers.setdefault(run.question, len(numbers)) for run in runs]
    return np.array(owners), len(numbers)


def _resampled(owners: NDArray[np.int64], questions: int, seed: int) -> Floats:
    """Weights of the runs in each resample of the questions: (resamples, runs)."""
    even = np.full(questions, 1 / questions)
    drawn = np.random.default_rng(seed).multinomial(questions, even, size=RESAMPLES)
    return drawn[:, owners].astype(np.float64)
