"""Calibration with labels: a search on some questions, and its result measured on others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from trigreason.evaluation.questions import Question
from trigreason.evaluation.statistics import (
    SHARES,
    Difference,
    Estimate,
    mean_of,
    paired,
    pass_at_1,
)
from trigreason.reasoning import Thresholds
from trigreason.studies.calibration.choice import recommended
from trigreason.studies.calibration.experiment import Experiment, Results, Thrift
from trigreason.studies.calibration.front import by_coin, front
from trigreason.studies.calibration.search import (
    Enter,
    Search,
    Stage,
    lrm_only,
    priming_only,
    srm_only,
)
from trigreason.studies.calibration.setting import Setting
from trigreason.studies.calibration.split import Split

PRIMING_REFERENCES = 4
"""How many values of n are measured with priming alone, to show what other triggers add."""


@dataclass(frozen=True, slots=True)
class SettingRow:
    """A setting and its results; ``search`` is None where the search did not complete it."""

    setting: Setting
    held_out: Results
    search: Results | None

    @property
    def accuracy(self) -> Estimate:
        """pass@1 on the held-out questions, with its 95 % interval clustered by question."""
        return pass_at_1(self.held_out.rights())

    @property
    def smt(self) -> Estimate | None:
        smts = self.held_out.smts()
        if not smts:
            return None
        mean = mean_of(smts)
        return mean._replace(low=max(0.0, mean.low), high=min(1.0, mean.high))

    @property
    def usd(self) -> Estimate | None:
        """USD per run; None unless it is known for every question."""
        usds = self.held_out.usds()
        return mean_of(usds) if len(usds) == len(self.held_out.outcomes) else None


@dataclass(frozen=True, slots=True)
class Coin:
    """A coin per question between two settings without triggers, at the recommended thrift.

    ``weight`` is the probability of ``other``; ``gain`` is the recommended setting's accuracy
    minus the coin's, paired by question.
    """

    one: Setting
    other: Setting
    weight: float
    gain: Difference


@dataclass(frozen=True, slots=True)
class Calibration:
    """The result. The search decides ``recommended`` and ``on_front``, held-out questions the rest.

    ``accuracy`` and ``thrift`` are the recommended setting minus the default, paired by question;
    ``coin`` is None where no two settings without triggers span its thrift.
    """

    thrift_name: Thrift
    default: Setting
    recommended: Setting
    on_front: frozenset[Setting]
    rows: tuple[SettingRow, ...]
    accuracy: Difference
    thrift: Difference
    coin: Coin | None
    questions: tuple[int, int]
    tried: int

    def row(self, setting: Setting) -> SettingRow:
        return next(each for each in self.rows if each.setting == setting)

    def is_no_worse(self, setting: Setting) -> bool:
        """Whether the setting's held-out means are at least the default's in both aims."""
        ours = self.row(setting).held_out.point(self.thrift_name)
        theirs = self.row(self.default).held_out.point(self.thrift_name)
        return ours.accuracy >= theirs.accuracy and ours.thrift >= theirs.thrift


async def calibrate(
    asking: Experiment,
    parts: Split[Question],
    default: Thresholds,
    trials: int,
    thrift: Thrift,
    enter: Enter,
    method: str = "trigreason",
) -> Calibration:
    """Search on one part, and measure the default, the front and no triggers on the other.

    Raises:
        EngineError: a model cannot be reached, or failed. Finished runs are in the ledger.
        ValueError: the SRM has no token probabilities, or costs are wanted and unknown.
    """
    search = Search(asking, parts.search, default, thrift, enter, method)
    found, space = await search.run(trials)
    searched = {each.setting: each for each in found}
    start = Setting(method, default)
    chosen = recommended(found, searched[start], thrift).setting
    points = [each.point(thrift) for each in found]
    best = [found[index].setting for index in front(points)]
    bare = _without_triggers(default, space.priming)
    wanted = list(dict.fromkeys([start, chosen, *best, *bare]))
    enter(Stage("held-out questions", len(wanted), len(parts.held_out)))
    measured = {each.setting: each for each in await asking.results(wanted, parts.held_out)}
    return Calibration(
        thrift_name=thrift,
        default=start,
        recommended=chosen,
        on_front=frozenset(best),
        rows=tuple(SettingRow(each, measured[each], searched.get(each)) for each in wanted),
        accuracy=paired(measured[chosen].rights(), measured[start].rights(), within=SHARES),
        thrift=paired(
            measured[chosen].thrifts(thrift),
            measured[start].thrifts(thrift),
            within=SHARES if thrift == "smt" else None,
        ),
        coin=against_coin(measured[chosen], [measured[each] for each in bare], thrift),
        questions=(len(parts.search), len(parts.held_out)),
        tried=trials,
    )


def _without_triggers(default: Thresholds, priming: Sequence[int]) -> list[Setting]:
    """Each model alone, and priming with a few values of n, including the default's."""
    values = [n for n in priming if n]
    step = max(1, -(-len(values) // PRIMING_REFERENCES))
    chosen = sorted({*values[::step], default.n} - {0})
    return [
        srm_only(default),
        lrm_only(default),
        *(priming_only(default, n) for n in chosen),
    ]


def against_coin(ours: Results, bare: Sequence[Results], thrift: Thrift) -> Coin | None:
    """``ours`` against the best coin between two of ``bare``, the settings without triggers.

    All results are of the same questions; None where no two of ``bare`` span the thrift of ours.
    """
    toss = by_coin([each.point(thrift) for each in bare], ours.point(thrift).thrift)
    if toss is None:
        return None
    one, other, weight = bare[toss.one], bare[toss.other], toss.weight
    theirs = other.rights()
    mixed = {
        name: [(1 - weight) * fmean(mine) + weight * fmean(theirs[name])]
        for name, mine in one.rights().items()
    }
    gain = paired(ours.rights(), mixed, within=SHARES)
    return Coin(one.setting, other.setting, weight, gain)
