"""Fits a risk model to recorded runs of the SRM, and says how well it tells wrong from right.

What is wrong is known by the step where a checker of the bundled families tells, else by the run:
then every step of a run whose answer is wrong counts as wrong, and the steps of each run weigh 1
together. The model is a logistic regression on straight pieces of each signal; its one
hyperparameter, the strength of the penalty, is chosen by cross-validation over questions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from math import log

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from trigreason.evaluation.runs import Run
from trigreason.reasoning import Thresholds
from trigreason.reasoning.risk import SIGNALS, Curve, RiskModel, Signals
from trigreason.studies.auc import FEWEST, Auc, auc
from trigreason.studies.signals import is_solo, seen_steps

FOLDS = 5
QUANTILES = (0.05, 0.5, 0.95)
"""Where a curve has its points: quantiles of the signal."""

PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Values of C, the inverse of the penalty's strength, that are tried."""

LEAST_SPAN = 0.1
"""Curves that change the risk by less, in logits, are left out."""

COMPARED = ("ratio", "mean_logprob")
"""The single signals beside which a model's AUC is told."""

Floats = NDArray[np.float64]


class LabelledBy(StrEnum):
    """What is known to be wrong: single steps, or whole runs."""

    STEP = "step"
    RUN = "run"


@dataclass(slots=True)
class Examples:
    """SRM steps with a label; one entry in every list. ``runs`` numbers the steps' runs."""

    signals: list[Signals] = field(default_factory=list)
    wrong: list[bool] = field(default_factory=list)
    questions: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    runs: list[int] = field(default_factory=list)

    def add(self, run: Run, number: int, signals: Signals, wrong: bool) -> None:
        """Add a step of the ``number``-th run."""
        self.signals.append(signals)
        self.wrong.append(wrong)
        self.questions.append(run.question)
        self.groups.append(run.group)
        self.runs.append(number)

    def part(self, places: Sequence[int]) -> Examples:
        return Examples(
            [self.signals[at] for at in places],
            [self.wrong[at] for at in places],
            [self.questions[at] for at in places],
            [self.groups[at] for at in places],
            [self.runs[at] for at in places],
        )

    def weights(self, labelled_by: LabelledBy) -> Floats:
        """What each step weighs in a fit."""
        _, owners, counts = np.unique(self.runs, return_inverse=True, return_counts=True)
        return 1.0 / counts[owners] if labelled_by is LabelledBy.RUN else np.ones(len(owners))

    @property
    def is_enough(self) -> bool:
        """Whether both kinds are there, of as many questions as a cross-validation needs."""
        by_kind = [
            {name for name, wrong in zip(self.questions, self.wrong, strict=True) if wrong is kind}
            for kind in (True, False)
        ]
        return all(len(questions) >= FEWEST for questions in by_kind)


@dataclass(frozen=True, slots=True)
class FittedRisk:
    """A model, and what it is worth on questions that it was not fitted to.

    Attributes:
        labelled_by: what was known to be wrong.
        steps: how many steps it was fitted to, and ``wrong`` how many of them were.
        questions: of how many questions.
        aucs: how well the cross-validated risk, and each single signal, marks wrong steps, or
            wrong runs by the mean of their steps; None with too few of them.
        loss: the cross-validated log loss (nats a step), and ``base_loss`` that of a constant.
    """

    model: RiskModel
    labelled_by: LabelledBy
    steps: int
    wrong: int
    questions: int
    aucs: dict[str, Auc | None]
    loss: float
    base_loss: float

    @property
    def marks_errors(self) -> bool:
        """Whether the whole interval of the risk's AUC is above chance."""
        auc = self.aucs["risk"]
        return auc is not None and auc.low > 0.5


def fit_risk(runs: Sequence[Run], thresholds: Thresholds, seed: int = 0) -> FittedRisk | None:
    """The model that the SRM's own runs among ``runs`` give; None if their outcomes are too few.

    ``thresholds`` give τ and the expressions of hesitation. No label of a question has any part in
    the risks by which that question is judged.
    """
    labelled_by, examples = _labelled(runs, thresholds)
    if not examples.is_enough:
        return None
    weights = examples.weights(labelled_by)
    risks, logits = np.empty(len(examples.wrong)), np.empty(len(examples.wrong))
    for train, test in _folds(examples.questions, seed):
        model = _fitted(examples.part(train), weights[train], seed)
        risks[test] = [model.risk(examples.signals[at]) for at in test]
        # A fold's intercept is higher where fewer of its own questions are wrong: it must not rank.
        logits[test] = [model.logits(examples.signals[at]) - model.intercept for at in test]
    share = float(np.average(examples.wrong, weights=weights))
    return FittedRisk(
        model=_fitted(examples, weights, seed),
        labelled_by=labelled_by,
        steps=len(examples.wrong),
        wrong=sum(examples.wrong),
        questions=len(set(examples.questions)),
        aucs=_aucs(examples, logits, labelled_by, seed),
        loss=_loss(examples.wrong, risks, weights),
        base_loss=_loss(examples.wrong, np.full_like(risks, share), weights),
    )


def _labelled(runs: Sequence[Run], thresholds: Thresholds) -> tuple[LabelledBy, Examples]:
    """The examples by the step, if the checkers know enough steps, else by the run."""
    by_step, by_run = Examples(), Examples()
    for number, run in enumerate(run for run in runs if is_solo(run)):
        for step in seen_steps(run, thresholds):
            if not step.is_whole or step.signals["ratio"] is None:
                continue
            if step.wrong is not None:
                by_step.add(run, number, step.signals, step.wrong)
            if run.right is not None:
                by_run.add(run, number, step.signals, not run.right)
    return (LabelledBy.STEP, by_step) if by_step.is_enough else (LabelledBy.RUN, by_run)


def _folds(questions: Sequence[str], seed: int) -> Iterator[tuple[list[int], list[int]]]:
    """Places of the examples to fit to and to judge by; all steps of a question stay together."""
    splitter = GroupKFold(min(FOLDS, len(set(questions))), shuffle=True, random_state=seed)
    for train, test in splitter.split(questions, groups=questions):
        yield train.tolist(), test.tolist()


def _fitted(examples: Examples, weights: Floats, seed: int) -> RiskModel:
    """A model of all the examples, with the penalty that serves held-out ones best."""
    if len(set(examples.wrong)) < 2:
        odds = (sum(examples.wrong) + 0.5) / (len(examples.wrong) - sum(examples.wrong) + 0.5)
        return RiskModel(round(log(odds), 3), ())
    basis = _Basis(examples.signals)
    design, wrong = basis.design(examples.signals), examples.wrong
    losses = np.zeros(len(PENALTIES))
    for train, test in _folds(examples.questions, seed):
        if len({wrong[at] for at in train}) < 2:
            continue
        truth = [wrong[at] for at in test]
        for number, penalty in enumerate(PENALTIES):
            fit = LogisticRegression(C=penalty, solver="newton-cholesky")
            fit.fit(design[train], [wrong[at] for at in train], weights[train])
            risks = fit.predict_proba(design[test])[:, 1]
            losses[number] += _losses(truth, risks) @ weights[test]
    fit = LogisticRegression(C=PENALTIES[int(losses.argmin())], solver="newton-cholesky")
    fit.fit(design, wrong, weights)
    return basis.model(float(fit.intercept_[0]), fit.coef_[0])


class _Basis:
    """Straight pieces of every signal that varies, around their means over the examples."""

    def __init__(self, examples: Sequence[Signals]) -> None:
        self._points: dict[str, Floats] = {}
        self._means: dict[str, Floats] = {}
        for name in SIGNALS:
            known = [value for signals in examples if (value := signals[name]) is not None]
            if len(set(known)) < 2:
                continue
            points = np.unique(np.round(np.quantile(known, QUANTILES), 4))
            if len(points) < 2:
                points = np.array([min(known), max(known)])
            self._points[name] = points
            self._means[name] = self._pieces(name, known).mean(axis=0)

    def _pieces(self, name: str, values: Sequence[float]) -> Floats:
        """For each value, its weight at each of the signal's points: (values, points)."""
        points = self._points[name]
        each = [np.interp(values, points, one) for one in np.eye(len(points))]
        return np.stack(each, axis=1)

    def design(self, examples: Sequence[Signals]) -> Floats:
        """(examples, 1 + points of all signals); a signal that is unknown counts as its mean.

        The first column is empty, for runs in which no signal varies.
        """
        columns = [np.zeros((len(examples), 1))]
        for name, means in self._means.items():
            values = [signals[name] for signals in examples]
            known = [at for at, value in enumerate(values) if value is not None]
            block = np.zeros((len(examples), len(means)))
            block[known] = self._pieces(name, [v for v in values if v is not None]) - means
            columns.append(block)
        return np.hstack(columns)

    def model(self, intercept: float, weights: Floats) -> RiskModel:
        curves, begin = [], 1
        for name, means in self._means.items():
            own = weights[begin : begin + len(means)]
            begin += len(means)
            logits = own - own @ means
            curve = Curve(
                name,
                tuple(self._points[name].tolist()),
                tuple(round(float(logit), 3) for logit in logits),
            )
            if curve.span >= LEAST_SPAN:
                curves.append(curve)
        curves.sort(key=lambda curve: -curve.span)
        return RiskModel(round(intercept, 3), tuple(curves))


def _loss(wrong: Sequence[bool], risks: Floats, weights: Floats) -> float:
    return float(np.average(_losses(wrong, risks), weights=weights))


def _losses(wrong: Sequence[bool], risks: Floats) -> Floats:
    """The log loss of each example, in nats; no risk counts as certain."""
    of_truth = np.where(wrong, risks, 1 - risks)
    return -np.log(np.maximum(of_truth, np.finfo(float).eps))


def _aucs(
    examples: Examples, logits: Floats, labelled_by: LabelledBy, seed: int
) -> dict[str, Auc | None]:
    numbers: dict[str, list[float | None]] = {"risk": logits.tolist()}
    for name in COMPARED:
        numbers[name] = [signals[name] for signals in examples.signals]
    if labelled_by is LabelledBy.RUN:
        examples, numbers = _by_run(examples, numbers)
    measured: dict[str, Auc | None] = {}
    for name, values in numbers.items():
        known = [at for at, value in enumerate(values) if value is not None]
        part = examples.part(known)
        measured[name] = auc(
            [value for value in values if value is not None],
            part.wrong,
            part.questions,
            part.groups,
            seed=seed,
        )
    return measured


def _by_run(
    examples: Examples, numbers: dict[str, list[float | None]]
) -> tuple[Examples, dict[str, list[float | None]]]:
    """One entry per run: the mean over its steps."""
    owners = np.asarray(examples.runs)
    places = [np.flatnonzero(owners == run) for run in dict.fromkeys(examples.runs)]
    means: dict[str, list[float | None]] = {
        name: [float(np.mean([values[at] for at in of_run])) for of_run in places]
        for name, values in numbers.items()
    }
    return examples.part([int(of_run[0]) for of_run in places]), means
