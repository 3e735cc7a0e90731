"""The search: generations of settings, each thinned out from rung to rung."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import optuna

from trigreason.evaluation.questions import Question
from trigreason.reasoning import Thresholds
from trigreason.studies.calibration.experiment import Experiment, Results, Thrift
from trigreason.studies.calibration.goals import Better, Goal, Widest
from trigreason.studies.calibration.halving import FACTOR, rungs
from trigreason.studies.calibration.setting import Setting
from trigreason.studies.calibration.space import Space

GENERATION = 8
"""Settings that are drawn together, before any of their results are known."""

CHOICE = 5
"""Settings drawn for each one that is run: a replay costs almost nothing compared with a run."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a calibration: its name, and its numbers of settings and questions."""

    name: str
    settings: int
    questions: int


Enter = Callable[[Stage], None]


def srm_only(default: Thresholds) -> Setting:
    return Setting("srm", default)


def lrm_only(default: Thresholds) -> Setting:
    return Setting("lrm", default)


def priming_only(default: Thresholds, n: int) -> Setting:
    """The LRM writes n steps and then returns only for a repetition."""
    return Setting(thresholds=replace(default, n=n, rho=1.0, m=0))


def anchors(default: Thresholds, method: str = "trigreason") -> list[Setting]:
    """The settings that every search measures: the default, the paper's, and no triggers."""
    wanted = [
        Setting(method, default),
        Setting(),
        srm_only(default),
        lrm_only(default),
        priming_only(default, default.n),
    ]
    return list(dict.fromkeys(wanted))


@dataclass(slots=True)
class Search:
    """A search for settings of ``method`` on ``questions``; the same answers give the same search.

    ``enter`` is called with each stage as it begins.
    """

    asking: Experiment
    questions: Sequence[Question]
    default: Thresholds
    thrift: Thrift
    enter: Enter
    method: str = "trigreason"

    async def run(self, trials: int) -> tuple[list[Results], Space]:
        """The results of every setting that was run on all the questions, anchors first.

        Generations alternate between two goals, and both samplers learn from all results.

        Raises:
            EngineError: a model cannot be reached, or failed.
            ValueError: the SRM has no token probabilities, or costs are wanted and unknown.
        """
        fixed = anchors(self.default, self.method)
        self.enter(Stage("anchors", len(fixed), len(self.questions)))
        found = await self.asking.results(fixed, self.questions)
        space = self._space()
        seed = self.asking.conditions.seed
        samplers = [
            _Sampler(goal(self.thrift, found[0]), space, seed + turn)
            for turn, goal in enumerate((Better, Widest))
        ]
        for sampler in samplers:
            for results in found:
                sampler.learn(results)
        for begun in range(0, trials, GENERATION):
            number = begun // GENERATION
            sampler = samplers[number % len(samplers)]
            settings = sampler.draw(min(GENERATION, trials - begun))
            seen = await self._thin_out(settings, sampler.goal, f"generation {number + 1}")
            for each in samplers:
                for results in seen:
                    each.learn(results)
            found += [each for each in seen if len(each.outcomes) == len(self.questions)]
        return list({each.setting: each for each in found}.values()), space

    async def _thin_out(self, settings: Sequence[Setting], goal: Goal, name: str) -> list[Results]:
        """For each setting, its results on the last rung that it reached."""
        seen: dict[Setting, Results] = {}
        left = list(dict.fromkeys(settings))
        sizes = rungs(len(self.questions))
        for number, size in enumerate(sizes, start=1):
            title = f"{name} ({goal.name}), rung {number} of {len(sizes)}"
            self.enter(Stage(title, len(left), size))
            results = await self.asking.results(left, self.questions[:size])
            seen |= {each.setting: each for each in results}
            if size < len(self.questions):
                left = [left[index] for index in goal.survivors(results)]
        return list(seen.values())

    def _space(self) -> Space:
        alone = (srm_only(self.default), lrm_only(self.default))
        srm, lrm = (self.asking.traces(each, self.questions) for each in alone)
        return Space(self.default, srm, lrm, self.method)


class _Sampler:
    """Optuna's tree-structured Parzen estimator in a space, for a goal."""

    def __init__(self, goal: Goal, space: Space, seed: int) -> None:
        self.goal = goal
        self._space = space
        self._drawn: dict[Setting, list[optuna.Trial]] = {}
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            sampler = optuna.samplers.TPESampler(
                seed=seed, n_startup_trials=GENERATION, multivariate=True
            )
        aims = len(goal.values(goal.default))
        self._study = optuna.create_study(directions=["maximize"] * aims, sampler=sampler)

    def draw(self, count: int) -> list[Setting]:
        """``count`` settings, taken from more with the promising ones first; some may be equal."""
        drawn = [self._study.ask(self._space.distributions) for _ in range(count * CHOICE)]
        default, method = self.goal.default.setting.thresholds, self.goal.default.setting.method
        settings = [Setting(method, self._space.thresholds(each.params)) for each in drawn]
        of_default, *smts = self._space.smts([default, *(each.thresholds for each in settings)])
        is_promising = [self.goal.is_promising(smt, of_default) for smt in smts]
        order = sorted(range(len(drawn)), key=lambda index: not is_promising[index])
        for index in order[:count]:
            self._drawn.setdefault(settings[index], []).append(drawn[index])
        for index in order[count:]:
            self._study.tell(drawn[index], state=optuna.trial.TrialState.FAIL)
        return [settings[index] for index in order[:count]]

    def learn(self, results: Results) -> None:
        """Learn a setting's results, whichever sampler drew it, if it is in the space."""
        setting, values = results.setting, self.goal.values(results)
        trials = self._drawn.pop(setting, [])
        for trial in trials:
            self._study.tell(trial, values)
        if trials or setting.method != self.goal.default.setting.method:
            return
        params = self._space.parameters(setting.thresholds)
        if params is not None:
            self._study.add_trial(
                optuna.create_trial(
                    params=params, distributions=self._space.distributions, values=values
                )
            )


ANCHORS = 5
ROWS = 12
"""About how many settings are measured on held-out questions; it depends on the front."""


def expected_runs(trials: int, searched: int, held_out: int) -> int:
    """About how many runs a calibration needs per epoch, counting those of earlier rungs again."""
    total = ANCHORS * searched + ROWS * held_out
    for begun in range(0, trials, GENERATION):
        left = min(GENERATION, trials - begun)
        for size in rungs(searched):
            total += left * size
            left = -(-left // FACTOR)
    return total
