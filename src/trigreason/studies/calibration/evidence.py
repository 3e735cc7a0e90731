"""The evidence for thresholds, in lines that are written beside them in a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trigreason.engines.base import Engine
from trigreason.engines.completions import CompletionsEngine
from trigreason.evaluation.statistics import Difference, Estimate
from trigreason.pairs import Pair
from trigreason.studies.calibration.choice import RULE
from trigreason.studies.calibration.confidence_fitting import ConfidenceMixture
from trigreason.studies.calibration.cue_fitting import SwitchCues
from trigreason.studies.calibration.experiment import Conditions
from trigreason.studies.calibration.label_free import Budgeted
from trigreason.studies.calibration.labelled import Calibration, SettingRow
from trigreason.studies.calibration.risk_fitting import FittedRisk, LabelledBy

Fitted = FittedRisk | ConfidenceMixture | SwitchCues
"""What a method may fit to recorded runs besides a share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where thresholds come from: the command line, date (ISO), program version, and data."""

    command: str
    date: str
    version: str
    data: str


def pair_in_words(pair: Pair) -> str:
    """The models, how they are served, and their logprob scales; equal if pairs answer alike."""
    models = f"SRM {_engine(pair.srm)}, LRM {_engine(pair.lrm)}"
    return f"{models}; thresholds for {pair.logprob_scale} logprobs"


def _engine(engine: Engine) -> str:
    served = engine.dialect.name if isinstance(engine, CompletionsEngine) else "chat"
    return f"{engine.model} ({served}, {engine.capabilities.logprob_scale} logprobs)"


def of_search(found: Calibration, source: Source, conditions: Conditions) -> list[str]:
    """The evidence of a calibration with labels."""
    searched, held_out = found.questions
    sampling, budget = conditions.sampling, conditions.budget
    return [
        f"{source.command}",
        f"{source.date}, trigreason {source.version}; {source.data}",
        conditions.pair,
        f"{searched} questions searched, {held_out} held out, {conditions.epochs} per question, "
        f"seed {conditions.seed}; {found.tried} settings drawn",
        f"temperature {sampling.temperature:g}, top_p {sampling.top_p:g}; "
        f"{budget.thinking_tokens} thinking and {budget.answer_tokens} answer tokens at most",
        f"held out: {_row(found.row(found.recommended))}",
        f"default:  {_row(found.row(found.default))}",
        f"recommended minus default: accuracy {difference(found.accuracy, 100, ' points')}, "
        f"{found.thrift_name.upper()} {_thrift(found)}",
        f"chosen by rule: {RULE}",
    ]


def of_share(
    found: Budgeted,
    source: Source,
    direction: str,
    fitted: Fitted | None = None,
) -> list[str]:
    """The evidence of a calibration from recorded runs; ``direction`` names it and its origin.

    ``fitted`` is what was fitted to the runs besides the share.
    """
    match fitted:
        case None:
            fit = f"no labels; {direction}"
        case ConfidenceMixture():
            fit = f"no labels; {_of_mixture(fitted)}"
        case SwitchCues():
            fit = f"no labels; margins of {fitted.steps} steps, {fitted.margin:.4f} on average"
        case _:
            fit = _of_risk(fitted)
    wanted = "" if found.wanted is None else f" wanted {100 * found.wanted:.1f} %;"
    return [
        f"{source.command}",
        f"{source.date}, trigreason {source.version}; {source.data}",
        f"{found.runs} recorded runs of {found.questions} questions, {fit}",
        f"LRM share{wanted} on the recorded runs "
        f"{100 * found.share:.1f} % ({100 * found.low:.1f} to {100 * found.high:.1f})",
    ]


def _of_risk(risk: FittedRisk) -> str:
    unit = "steps" if risk.labelled_by is LabelledBy.STEP else "steps, by the answers of their runs"
    measured = risk.aucs["risk"]
    auc = "" if measured is None else f"; AUC, cross-validated: {measured.value:.3f}"
    return f"risk model of {risk.steps} {unit}, {risk.wrong} wrong{auc}"


def _of_mixture(mixture: ConfidenceMixture) -> str:
    kinds = (
        f"{100 * kind.share:.0f} % at {kind.mean:.4f} (SD {kind.deviation:.4f})"
        for kind in (mixture.unsure, mixture.sure)
    )
    return f"two Gaussians of {mixture.steps} steps' confidence: {' and '.join(kinds)}"


def _row(row: SettingRow) -> str:
    return ", ".join(_numbers(row))


def _numbers(row: SettingRow) -> Iterator[str]:
    yield f"accuracy {estimate(row.accuracy, 100, ' %')}"
    if row.smt is not None:
        yield f"SMT {estimate(row.smt, 100, ' %')}"
    if row.usd is not None:
        yield f"USD {row.usd.value:.6f} per run"


def _thrift(found: Calibration) -> str:
    if found.thrift_name == "smt":
        return difference(found.thrift, 100, " points")
    saved = found.thrift
    return f"{-saved.value:+.6f} per run ({-saved.high:+.6f} to {-saved.low:+.6f})"


def estimate(found: Estimate, scale: float, unit: str) -> str:
    """A value and its 95 % interval, with one decimal."""
    low, high = scale * found.low, scale * found.high
    return f"{scale * found.value:.1f}{unit} ({low:.1f} to {high:.1f})"


def difference(found: Difference, scale: float, unit: str) -> str:
    """A difference, with its sign, and its 95 % interval."""
    low, high = scale * found.low, scale * found.high
    return f"{scale * found.value:+.1f}{unit} ({low:+.1f} to {high:+.1f})"
