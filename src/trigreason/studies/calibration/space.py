"""The space of the search: τ, ρ, direction, n, k and m, laid out for a sampler.

Instead of ρ, the share of SRM steps on which the offload fires is drawn: the effect of ρ = 0.9
depends on τ, on the direction and on the model, while a share means the same everywhere.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from trigreason.evaluation.runs import Run
from trigreason.reasoning import (
    Author,
    Direction,
    Thresholds,
    Trace,
    low_perplexity_ratio,
    method_entry,
)
from trigreason.studies.replaying import replayed

PRIMING = (0, 1, 2, 3, 5, 8, 10, 15, 20, 30, 50, 80)
"""Values of n; values in between can hardly be told apart from these."""

LARGEST_K = 4
LARGEST_M = 3

TAU = (0.003, 1.0)
"""Bounds of τ - 1, which is drawn log-uniformly: token probabilities of .997 down to .5."""

OFFLOADED = 0.8
"""The largest share of SRM steps that the offload is to fire on."""

RHO_DIGITS = 3


class Space:
    """The settings of ``method`` around ``base``, for a pair with some recorded runs.

    Only thresholds that the method decides by are searched. ``srm`` are runs of the SRM alone,
    ``lrm`` of the LRM alone, on questions of the search.

    Raises:
        ValueError: no step of the SRM has token probabilities.
    """

    def __init__(
        self,
        base: Thresholds,
        srm: Sequence[Trace],
        lrm: Sequence[Trace],
        method: str = "trigreason",
    ) -> None:
        self._base = base
        self._method = method
        self._decides_by = method_entry(method).decides_by
        self._runs = [Run(trace=trace) for trace in srm]
        self._logprobs = srm_logprobs(srm)
        if not self._logprobs and "rho" in self._decides_by:
            raise ValueError(
                "no step of the SRM has token probabilities, without which the offload cannot be "
                "calibrated; serve it with logprobs (vLLM, SGLang, llama.cpp)"
            )
        self._ratios: dict[float, list[float]] = {}
        longest = median(len(trace.standing) for trace in lrm) if lrm else PRIMING[-1]
        self.priming = tuple(n for n in PRIMING if n < max(longest, 2))
        """Values of n below the LRM's usual number of steps; from there on the LRM writes alone."""

    @property
    def distributions(self) -> dict[str, BaseDistribution]:
        """The space as the sampler sees it; ``n`` is an index into :attr:`priming`."""
        distributions: dict[str, BaseDistribution] = {
            "n": IntDistribution(0, len(self.priming) - 1),
            "tau": FloatDistribution(*TAU, log=True),
            "direction": CategoricalDistribution([each.value for each in Direction]),
            "offloaded": FloatDistribution(0.0, OFFLOADED),
            "k": IntDistribution(1, LARGEST_K),
            "m": IntDistribution(0, LARGEST_M),
        }
        return {name: each for name, each in distributions.items() if self._is_drawn(name)}

    def thresholds(self, drawn: Mapping[str, Any]) -> Thresholds:
        """The thresholds at a point of the space, with τ and ρ rounded to be readable."""
        changes: dict[str, Any] = {name: drawn[name] for name in ("k", "m") if name in drawn}
        if "n" in drawn:
            changes["n"] = self.priming[drawn["n"]]
        if "tau" in drawn:
            changes["tau"] = round(1 + float(f"{drawn['tau']:.2g}"), 6)
        if "direction" in drawn:
            changes["direction"] = Direction(drawn["direction"])
        given = replace(self._base, **changes)
        if "offloaded" in drawn:
            ratios = self.ratios(given.tau)
            given = replace(given, rho=rho_for(ratios, drawn["offloaded"], given.direction))
        return given

    def parameters(self, thresholds: Thresholds) -> dict[str, Any] | None:
        """The point of the space with these thresholds; None where they lie outside it."""
        if self._is_drawn("n") and thresholds.n not in self.priming:
            return None
        every: dict[str, Any] = {
            "tau": round(thresholds.tau - 1, 6),
            "direction": thresholds.direction.value,
            "k": thresholds.k,
            "m": thresholds.m,
        }
        if self._is_drawn("n"):
            every["n"] = self.priming.index(thresholds.n)
        if self._is_drawn("offloaded"):
            ratios = self.ratios(thresholds.tau)
            every["offloaded"] = share_beyond(ratios, thresholds.rho, thresholds.direction)
        space = self.distributions
        point = {name: every[name] for name in space}
        return point if all(map(_holds, space.values(), point.values())) else None

    def smts(self, settings: Sequence[Thresholds]) -> list[float]:
        """The approximate SMT under each setting, by replaying the SRM's runs."""
        return [float(smt) for smt in replayed(self._runs, settings, method=self._method).smt]

    def _is_drawn(self, name: str) -> bool:
        """Whether the method decides by this parameter's threshold."""
        return ("rho" if name == "offloaded" else name) in self._decides_by

    def ratios(self, tau: float) -> list[float]:
        """r_s (eq. 4) of every recorded SRM step, rising."""
        if tau not in self._ratios:
            ratios = (low_perplexity_ratio(each, tau) for each in self._logprobs)
            self._ratios[tau] = sorted(ratio for ratio in ratios if ratio is not None)
        return self._ratios[tau]


def check_searchable(method: str) -> None:
    """Raises ValueError where the method decides by nothing that is searched."""
    if not method_entry(method).decides_by & {"n", "rho", "k", "m"}:
        raise ValueError(
            f"{method} decides by none of n, ρ, k and m, so there is nothing to search; from "
            "recorded runs, calibrate LOGS --lrm-share SHARE may choose its threshold"
        )


def _holds(distribution: BaseDistribution, value: Any) -> bool:
    if isinstance(distribution, CategoricalDistribution):
        return value in distribution.choices
    assert isinstance(distribution, IntDistribution | FloatDistribution), "no other kind is drawn"
    return bool(distribution.low <= value <= distribution.high)


def srm_logprobs(traces: Sequence[Trace]) -> list[tuple[float | None, ...]]:
    """The token logprobs (nats) of each SRM step, drafts included, blank ones not."""
    return [
        step.logprobs
        for trace in traces
        for step in trace.steps
        if step.author is Author.SRM
        and step.text.strip()
        and any(each is not None for each in step.logprobs)
    ]


def share_beyond(ratios: Sequence[float], rho: float, direction: Direction) -> float:
    """The share of the rising ``ratios`` on which the offload fires; rho = 1 is never."""
    if rho == 1:
        return 0.0
    if direction is Direction.OVER:
        return (len(ratios) - bisect_right(ratios, rho)) / len(ratios)
    return bisect_left(ratios, rho) / len(ratios)


def rho_for(ratios: Sequence[float], share: float, direction: Direction) -> float:
    """The ρ with which the offload fires on about the ``share`` of the rising ``ratios``.

    Some shares cannot be reached: steps are short, so their ratios take few values, and many
    steps are certain to the last token. Of the ρ that split the ratios alike, it is the middle
    one; it is 1 (never fires) where that is closest.
    """
    return min(
        candidate_rhos(ratios),
        key=lambda rho: (abs(share_beyond(ratios, rho, direction) - share), -rho),
    )


def candidate_rhos(ratios: Sequence[float]) -> list[float]:
    """One ρ, rising, for each way of splitting the rising ``ratios`` in two; the last is 1.

    Each lies half-way between two neighbours, rounded where that keeps it between them.
    """
    values = sorted(set(ratios))
    rhos = {1.0}
    for below, above in zip([0.0, *values], [*values, 1.0], strict=True):
        if below < above:
            middle = (below + above) / 2
            rounded = round(middle, RHO_DIGITS)
            rhos.add(rounded if below < rounded < above else middle)
    return sorted(rhos)
