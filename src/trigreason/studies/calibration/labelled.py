"""Calibration with labels: a search on some questions, its worth measured on others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
from trigreason.studies.calibration.asking import Asking, Results, Thrift
from trigreason.studies.calibration.choice import recommended
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
"""How many values of n are measured without any trigger, to say what triggers are good for."""


@dataclass(frozen=True, slots=True)
class SettingRow:
    """A setting and its worth; ``search`` is None where the search had no use for it."""

    setting: Setting
    held_out: Results
    search: Results | None

    @property
    def accuracy(self) -> Estimate:
        """pass@1 on the held-out questions, with its 95 % interval clustered by question."""
        return pass_at_1(self.held_out.rights())

    @property
    def smt(self) -> Estimate | None:
        found = self.held_out.smts()
        if not found:
            return None
        mean = mean_of(found)
        return mean._replace(low=max(0.0, mean.low), high=min(1.0, mean.high))

    @property
    def usd(self) -> Estimate | None:
        """USD per run; None unless it is known of every question."""
        found = self.held_out.usds()
        return mean_of(found) if len(found) == len(self.held_out.outcomes) else None


@dataclass(frozen=True, slots=True)
class Coin:
    """What a coin per question between two settings without triggers gets, at the same thrift.

    ``weight`` is how often it falls for ``other``; ``gain`` the recommended setting's accuracy
    minus the coin's, paired by question.
    """

    one: Setting
    other: Setting
    weight: float
    gain: Difference


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was found. Everything but ``recommended`` and ``on_front`` is of held-out questions.

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
        """Whether the setting's means are below the default's in neither aim, held out."""
        ours = self.row(setting).held_out.point(self.thrift_name)
        theirs = self.row(self.default).held_out.point(self.thrift_name)
        return ours.accuracy >= theirs.accuracy and ours.thrift >= theirs.thrift


async def calibrate(
    asking: Asking,
    parts: Split[Question],
    default: Thresholds,
    trials: int,
    thrift: Thrift,
    enter: Enter,
    method: str = "trigreason",
) -> Calibration:
    """Search on one part, and measure the default, the front and no triggers on the other.

    Raises:
        EngineError: a model cannot be reached, or failed. What was answered is in the ledger.
        ValueError: the SRM has no token probabilities, or costs are wanted and not known.
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
    """Each model alone, and priming with a few values of n, the default's among them."""
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
    found = by_coin([each.point(thrift) for each in bare], ours.point(thrift).thrift)
    if found is None:
        return None
    one, other, weight = bare[found.one], bare[found.other], found.weight
    theirs = other.rights()
    mixed = {
        name: [(1 - weight) * _mean(mine) + weight * _mean(theirs[name])]
        for name, mine in one.rights().items()
    }
    gain = paired(ours.rights(), mixed, within=SHARES)
    return Coin(one.setting, other.setting, weight, gain)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
