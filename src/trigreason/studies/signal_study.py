"""How well each signal marks wrong steps and wrong trajectories in one SRM's recorded runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from trigreason.evaluation.runs import Run
from trigreason.evaluation.statistics import Estimate
from trigreason.reasoning import Author, CognitiveOffload, Direction, Thresholds
from trigreason.studies.auc import Auc, auc
from trigreason.studies.rates import Bin, Marked, calibration_curve, error_rate, marked_rates
from trigreason.studies.signals import (
    Observed,
    SeenStep,
    Signal,
    is_solo,
    labelled_steps,
    observed_steps,
    observed_trajectories,
    scored_trajectories,
    seen_steps,
)

TAUS = (1.01, 1.05, 1.2, 1.5, 2.0)
"""Values of τ (perplexities) that are measured besides the runs' own."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that marks steps; a trajectory is marked if one of its steps is, as in appendix D."""

    key: str
    name: str
    marks: Callable[[SeenStep], bool]


@dataclass(frozen=True, slots=True)
class MeasuredSignal:
    """A signal with its AUC (None with too few wrong or right entries) and its curve."""

    signal: Signal
    auc: Auc | None
    curve: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """A rule, and the error rates where it fires and where it does not."""

    rule: Rule
    rates: Marked


@dataclass(frozen=True, slots=True)
class Level:
    """The results over all labelled steps, or over all trajectories with a known outcome."""

    count: int
    wrong: int
    questions: int
    groups: int
    error: Estimate
    signals: tuple[MeasuredSignal, ...]
    marks: tuple[Mark, ...]

    def ratio(self, tau: float) -> MeasuredSignal:
        """The low-perplexity ratio of steps, or its mean over a trajectory's steps, at ``tau``."""
        keys = f"ratio@{tau:g}", f"mean_ratio@{tau:g}"
        return next(each for each in self.signals if each.signal.key in keys)


@dataclass(frozen=True, slots=True)
class SignalStudy:
    """``tau`` is the τ of the rules; ``scale`` is that of the logprobs.

    ``unscored`` counts runs without an outcome, ``mixed`` runs that are not the SRM's alone. A
    level is None where it has no entry.
    """

    srm: str
    scale: str
    runs: int
    unscored: int
    mixed: int
    tau: float
    steps: Level | None
    trajectories: Level | None


def study_signals(
    runs: Sequence[Run],
    *,
    taus: Sequence[float] = (),
    rhos: Sequence[float] = (),
    seed: int = 0,
) -> SignalStudy:
    """The study over one SRM's runs; the first of ``taus`` is the τ of the rules.

    By default τ is the runs' own and those of TAUS, and ρ the paper's and the runs' own.

    Raises:
        ValueError: no step or trajectory is known to be right or wrong, the runs are of
            several SRMs or logprob scales, or a τ or ρ is out of range.
    """
    srm, scale = _model_and_scale(runs)
    taus = tuple(dict.fromkeys(taus or (_modal(run.trace.thresholds.tau for run in runs), *TAUS)))
    own_rho = _modal(run.trace.thresholds.rho for run in runs)
    rhos = tuple(dict.fromkeys(rhos or (Thresholds().rho, own_rho)))
    for tau in taus:
        CognitiveOffload(tau)  # raises ValueError for a τ out of range
    rules = [rule for rho in rhos for rule in _rules_of_ratio(taus[0], rho)]
    seen = [(run, seen_steps(run)) for run in runs]
    steps, trajectories = list(labelled_steps(seen)), list(scored_trajectories(seen))
    if not steps and not trajectories:
        raise ValueError(
            "nothing tells right from wrong here: no run that the SRM wrote alone has an outcome, "
            "and none answers a question of the bundled families; give the logs of trigreason "
            "eval --method srm"
        )
    follows = Rule(
        "hesitates_next", "the next step hesitates", lambda step: bool(step.hesitates_next)
    )
    hesitates = Rule("hesitates", "hesitation", lambda step: step.hesitates)
    repeats = Rule("repeats", "repetition", lambda step: step.repeats)
    return SignalStudy(
        srm=srm,
        scale=scale,
        runs=len(runs),
        unscored=sum(run.right is None for run in runs),
        mixed=sum(not is_solo(run) for run in runs),
        tau=taus[0],
        steps=_level(
            observed_steps(seen, taus),
            {
                rule: [rule.marks(step) for _, _, step in steps]
                for rule in [*rules, follows, repeats]
            },
            seed,
        ),
        trajectories=_level(
            observed_trajectories(seen, taus),
            {
                rule: [any(map(rule.marks, run_steps)) for _, _, run_steps in trajectories]
                for rule in [*rules, hesitates, repeats]
            },
            seed,
        ),
    )


def _model_and_scale(runs: Sequence[Run]) -> tuple[str, str]:
    """The SRM and the logprob scale, which all runs must share."""
    if not runs:
        raise ValueError("there is no recorded run to look at")
    models = sorted({run.trace.models.get(Author.SRM, "") for run in runs} - {""})
    scales = sorted({run.trace.logprob_scale for run in runs})
    for several, noun in ((models, "SRMs"), (scales, "logprob scales")):
        if len(several) > 1:
            raise ValueError(f"the runs are of several {noun} ({', '.join(several)}); give one's")
    return "".join(models), scales[0]


def _modal(values: Iterable[float]) -> float:
    return Counter(values).most_common(1)[0][0]


def _rules_of_ratio(tau: float, rho: float) -> list[Rule]:
    over = CognitiveOffload(tau, rho, Direction.OVER)
    under = CognitiveOffload(tau, rho, Direction.UNDER)
    return [
        Rule(f"over@{rho:g}", f"r > {rho:g} (over)", lambda step: over.fires(step.ratio(tau))),
        Rule(f"under@{rho:g}", f"r < {rho:g} (under)", lambda step: under.fires(step.ratio(tau))),
    ]


def _level(observed: Observed, marks: dict[Rule, list[bool]], seed: int) -> Level | None:
    error = error_rate(observed.wrong, observed.questions)
    if error is None:
        return None
    return Level(
        count=len(observed.wrong),
        wrong=sum(observed.wrong),
        questions=len(set(observed.questions)),
        groups=len(set(observed.groups)),
        error=error,
        signals=tuple(_measured(observed, signal, seed) for signal in observed.signals),
        marks=tuple(
            Mark(rule, marked_rates(fires, observed.wrong, observed.questions))
            for rule, fires in marks.items()
        ),
    )


def _measured(observed: Observed, signal: Signal, seed: int) -> MeasuredSignal:
    numbers = observed.signals[signal]
    places = [at for at, number in enumerate(numbers) if number is not None]
    values = [number for number in numbers if number is not None]
    wrong = [observed.wrong[at] for at in places]
    questions = [observed.questions[at] for at in places]
    curve = calibration_curve(values, wrong, questions)
    groups = [observed.groups[at] for at in places]
    return MeasuredSignal(signal, auc(values, wrong, questions, groups, seed=seed), tuple(curve))
