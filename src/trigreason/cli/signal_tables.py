"""The results of ``study signals`` as tables, sentences and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich import box
from rich.table import Table

from trigreason.cli.words import counted, percent
from trigreason.evaluation.statistics import Estimate
from trigreason.studies.auc import FEWEST, Auc
from trigreason.studies.rates import Bin
from trigreason.studies.signal_study import Level, Mark, MeasuredSignal, SignalStudy

WITHIN_GROUPS = (
    "AUCs compare wrong ones with right ones of the same group of questions only: groups differ in "
    "how hard they are. The error rates of the rules are over all groups."
)
NO_ENTROPY = (
    "Entropy and margin are not among the signals: these traces have no alternatives (see "
    "alternatives in docs/configuration.md)."
)


def levels(study: SignalStudy) -> Iterator[tuple[str, Level]]:
    """The levels of a study, each with the noun for one of its entries."""
    if study.steps:
        yield "step", study.steps
    if study.trajectories:
        yield "trajectory", study.trajectories


def plural(noun: str) -> str:
    return {"step": "steps", "trajectory": "trajectories"}[noun]


def heading(noun: str, level: Level) -> str:
    """A level's numbers of entries and questions, and its error rate."""
    error = f"{percent(level.error.value)}{_between(level.error)}"
    return (
        f"{level.count:,} {plural(noun)} of {counted(level.questions, 'question')}, "
        f"{level.wrong:,} wrong: {error}"
    )


def signal_table(level: Level) -> Table:
    """One row per signal: its AUC, and which end of it marks errors."""
    table = _table("signal", "AUC", "95 %", "marks errors")
    for each in level.signals:
        if each.auc is None:
            table.add_row(each.signal.name, "–", "", "too few")
        else:
            interval = f"{_auc(each.auc.low)}–{_auc(each.auc.high)}"
            table.add_row(each.signal.name, _auc(each.auc.value), interval, _marks(each.auc))
    return table


def mark_table(noun: str, level: Level) -> Table:
    """One row per rule: the share that it marks, and the error rates there and elsewhere."""
    name = "rule" if noun == "step" else "contains a step with"
    table = _table(name, f"share of {plural(noun)}", "wrong of these", "of the others")
    for each in level.marks:
        rates = each.rates
        cells = [percent(rates.share.value), _rate(rates.marked), _rate(rates.others)]
        table.add_row(each.rule.name, *cells)
    return table


def _table(*names: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    first, *others = names
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table


def _marks(auc: Auc) -> str:
    if auc.high_marks_errors is None:
        return "chance"
    return "high" if auc.high_marks_errors else "low"


def _rate(rate: Estimate | None) -> str:
    return "–" if rate is None else f"{percent(rate.value)}{_between(rate)}"


def _between(rate: Estimate) -> str:
    return f" ({100 * rate.low:.0f}–{100 * rate.high:.0f})" if rate.has_interval else ""


def _auc(value: float) -> str:
    """An AUC as papers write it: ``.83``, ``1.00``."""
    return f"{value:.2f}".removeprefix("0")


def verdict(study: SignalStudy) -> list[str]:
    """Sentences: whether overconfidence marks errors, and which signal marks them best."""
    sentences: list[str] = []
    for noun, level in levels(study):
        ratio = level.ratio(study.tau).auc
        if ratio is None:
            sentences.append(_too_few(noun, level))
            continue
        sentences.append(_about_overconfidence(noun, ratio, study.tau))
        sentences.append(_best(noun, level))
    if any(level.groups > 1 for _, level in levels(study)):
        sentences.append(WITHIN_GROUPS)
    shown = {each.signal.key for _, level in levels(study) for each in level.signals}
    if "mean_margin" not in shown:
        sentences.append(NO_ENTROPY)
    return sentences


def _too_few(noun: str, level: Level) -> str:
    return (
        f"{level.wrong} wrong and {level.count - level.wrong} right {plural(noun)} are too few to "
        f"say what marks errors; {FEWEST} of each are the least."
    )


def _about_overconfidence(noun: str, ratio: Auc, tau: float) -> str:
    subject = "A high low-perplexity ratio" if noun == "step" else "A high mean ratio"
    numbers = f"AUC {_auc(ratio.value)}, {_auc(ratio.low)} to {_auc(ratio.high)}, at τ = {tau:g}"
    if ratio.high_marks_errors:
        return (
            f"{subject} marks wrong {plural(noun)} ({numbers}): overconfidence marks errors on "
            "this pair, as in the paper (--direction over)."
        )
    if ratio.high_marks_errors is None:
        return (
            f"{subject} marks wrong {plural(noun)} no better than chance ({numbers}), and neither "
            "does a low one: by this, overconfidence does not mark errors on this pair."
        )
    return (
        f"{subject} marks wrong {plural(noun)} worse than chance ({numbers}): overconfidence does "
        f"not mark errors on this pair. The opposite direction does (--direction under, "
        f"AUC {_auc(1 - ratio.value)})."
    )


def _best(noun: str, level: Level) -> str:
    measured = [
        (each.signal.name, each.auc)
        for each in level.signals
        if each.auc and each.auc.high_marks_errors is not None
    ]
    if not measured:
        return f"No signal tells wrong {plural(noun)} better than chance."
    name, auc = max(measured, key=lambda each: each[1].distance)
    end = "high" if auc.high_marks_errors else "low"
    strength = _auc(max(auc.value, 1 - auc.value))
    return f"What tells wrong {plural(noun)} best: “{name}”, where it is {end} (AUC {strength})."


def study_to_json(study: SignalStudy) -> dict[str, Any]:
    return {
        "srm": study.srm,
        "logprob_scale": study.scale,
        "runs": study.runs,
        "unscored": study.unscored,
        "mixed": study.mixed,
        "tau": study.tau,
        **{plural(noun): _level_to_json(level) for noun, level in levels(study)},
        "words": verdict(study),
    }


def _level_to_json(level: Level) -> dict[str, Any]:
    return {
        "count": level.count,
        "wrong": level.wrong,
        "questions": level.questions,
        "groups": level.groups,
        "error": _estimate(level.error),
        "signals": {each.signal.key: _signal_to_json(each) for each in level.signals},
        "rules": {each.rule.key: _mark_to_json(each) for each in level.marks},
    }


def _signal_to_json(each: MeasuredSignal) -> dict[str, Any]:
    return {
        "name": each.signal.name,
        "auc": None
        if each.auc is None
        else asdict(each.auc) | {"high_marks_errors": each.auc.high_marks_errors},
        "curve": [_bin_to_json(part) for part in each.curve],
    }


def _bin_to_json(part: Bin) -> dict[str, Any]:
    return {"low": part.low, "high": part.high, "mean": part.mean, "error": _estimate(part.error)}


def _mark_to_json(each: Mark) -> dict[str, Any]:
    rates = {"share": each.rates.share, "wrong": each.rates.marked, "others": each.rates.others}
    return {"name": each.rule.name} | {key: _estimate(rate) for key, rate in rates.items()}


def _estimate(rate: Estimate | None) -> dict[str, Any] | None:
    """A rate; its interval is null where it is unknown, since JSON has no infinity."""
    if rate is None:
        return None
    interval = [rate.low, rate.high] if rate.has_interval else None
    return {"value": rate.value, "interval": interval, "count": rate.samples}
