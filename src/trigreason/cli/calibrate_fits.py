"""What a calibration fits to recorded runs besides a share, in words and in JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from rich.table import Table
from rich.text import Text

from trigreason.cli.profile import risk_in_words
from trigreason.cli.words import counted
from trigreason.studies.calibration.confidence_fitting import ConfidenceMixture
from trigreason.studies.calibration.cue_fitting import SwitchCues
from trigreason.studies.calibration.evidence import Fitted
from trigreason.studies.calibration.risk_fitting import FittedRisk


def fitted_in_words(found: Fitted) -> Iterator[Text | Table]:
    """What was fitted, to what, and what it says of steps."""
    match found:
        case FittedRisk():
            yield from _risk_in_words(found)
        case ConfidenceMixture():
            yield _mixture_in_words(found)
        case SwitchCues():
            yield from _cues_in_words(found)


def fitted_as_json(found: Fitted | None) -> dict[str, Any]:
    """Each kind of fit under its own key, None if it was not made."""
    return {
        "risk": _risk_as_json(found) if isinstance(found, FittedRisk) else None,
        "mixture": asdict(found) if isinstance(found, ConfidenceMixture) else None,
        "switch_cues": asdict(found) if isinstance(found, SwitchCues) else None,
    }


def no_risk_in_words(found: FittedRisk | None) -> str:
    """Why no risk is used, where outcomes are too few or signals do not mark errors."""
    why = (
        "it needs runs that the SRM finished alone, right and wrong ones of five questions each "
        "at least"
        if found is None
        else f"on questions that were left out of the fit the signals do not mark a wrong "
        f"{found.labelled_by} (AUC {_aucs(found)})"
    )
    return (
        f"No risk is learned: {why}. The thresholds below are TrigReason's, chosen without labels."
    )


def _aucs(found: FittedRisk) -> str:
    named = {"risk": "risk", "ratio": "r", "mean_logprob": "mean logprob"}
    told = (
        f"{named[name]} {each.value:.2f} ({each.low:.2f} to {each.high:.2f})"
        for name, each in found.aucs.items()
        if each is not None
    )
    return f"{', '.join(told)}; .5 is chance, and below it low values mark errors"


def _risk_in_words(found: FittedRisk) -> Iterator[Text | Table]:
    """A risk model, what it was fitted to, and how well it marks what is wrong."""
    unit = str(found.labelled_by)
    yield Text(
        f"The risk is learned from {counted(found.steps, 'step')} of "
        f"{counted(found.questions, 'question')}, {found.wrong} of them "
        + ("wrong." if unit == "step" else "in runs with a wrong answer.")
    )
    yield Text(
        f"AUC for a wrong {unit}, on questions that were left out of the fit: {_aucs(found)}. "
        f"Log loss {found.loss:.3f} nats a step; without signals {found.base_loss:.3f}."
    )
    yield from risk_in_words(found.model)


def _risk_as_json(risk: FittedRisk) -> dict[str, Any]:
    return {
        "labelled_by": risk.labelled_by,
        "steps": risk.steps,
        "wrong": risk.wrong,
        "questions": risk.questions,
        "auc": {name: each and asdict(each) for name, each in risk.aucs.items()},
        "log_loss": risk.loss,
        "log_loss_of_a_constant": risk.base_loss,
    }


def _mixture_in_words(found: ConfidenceMixture) -> Text:
    kinds = (
        f"{100 * kind.share:.1f} % around {kind.mean:.3f} (SD {kind.deviation:.3f})"
        for kind in (found.unsure, found.sure)
    )
    return Text(
        f"Two Gaussians were fitted to the confidence of {counted(found.steps, 'step')}, without "
        f"labels: {', and '.join(kinds)}. Below the threshold a step is more likely of the first. "
        "Nothing says that these are the wrong steps. With --lrm-share, the share decides instead."
    )


def _cues_in_words(found: SwitchCues) -> Iterator[Text | Table]:
    yield Text(
        f"The first words of {counted(found.steps, 'step')}, by the margin of the tokens that "
        f"follow; the cues are those above {found.margin:.3f}, the margin of all tokens. "
        "Nothing says that the SRM is right behind them."
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("word", "steps", "margin"):
        table.add_column(head, justify="left" if head == "word" else "right")
    for each in found.candidates:
        is_cue = each.margin > found.margin
        cells = (each.word, str(each.steps), f"{each.margin:.3f}")
        table.add_row(*map(Text, cells), style="" if is_cue else "dim")
    yield table
