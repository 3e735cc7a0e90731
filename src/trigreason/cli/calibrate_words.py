"""A calibration's result as a table and sentences."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from rich import box
from rich.table import Table
from rich.text import Text

from trigreason.cli.words import counted, settings
from trigreason.evaluation.statistics import Difference, Estimate
from trigreason.reasoning import Direction, Thresholds, method_entry
from trigreason.reasoning.methods import method_title
from trigreason.reasoning.names import TRIGGER_NAMES
from trigreason.studies.auc import Auc
from trigreason.studies.calibration.direction import supported
from trigreason.studies.calibration.evidence import difference
from trigreason.studies.calibration.label_free import Budgeted
from trigreason.studies.calibration.labelled import Calibration, SettingRow
from trigreason.studies.calibration.profile import KEYS, OTHER_KEYS
from trigreason.studies.calibration.setting import Setting

OPPOSITE = {Direction.OVER: "overconfident", Direction.UNDER: "unsure"}
"""The name of the steps that the LRM rewrites under a direction."""


def named(setting: Setting) -> str:
    """A setting's name for a narrow column, without triggers that are off."""
    if setting.method != "trigreason":
        values = settings(setting.method, setting.thresholds)
        return ", ".join(filter(None, (method_title(setting.method), values)))
    given = setting.thresholds
    if setting.is_without_triggers and given.n:
        return f"priming only, n{given.n}"
    parts = [f"n{given.n}"] if given.n else []
    if given.rho < 1:
        side = ">" if given.direction is Direction.OVER else "<"
        parts.append(f"r{side}{given.rho:.3g} τ{given.tau:g}")
    if given.m:
        parts.append(f"k{given.k} m{given.m}")
    return " ".join(parts) or "no triggers"


def role(found: Calibration, setting: Setting) -> str:
    """Why a setting is in the table; empty for one without triggers, whose name says it."""
    if setting == found.default:
        return "default"
    if setting == found.recommended:
        return "chosen"
    if setting == Setting():
        return "paper"
    return "" if setting.is_without_triggers else "front"


def front_table(found: Calibration) -> Table:
    """Held-out results of the recommended setting, the default, the front, and no triggers."""
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        header_style="bold",
        title=f"On {counted(found.questions[1], 'held-out question')}, 95 % intervals; per run",
        title_justify="left",
        title_style="",
        padding=(0, 1, 0, 0),
    )
    with_usd = any(row.usd is not None for row in found.rows)
    table.add_column("", no_wrap=True)
    table.add_column("setting", no_wrap=True)
    heads = [
        "accuracy, %",
        "SMT, %",
        "LRM\ntokens",
        "LRM\nrequests",
        *(["USD"] if with_usd else []),
    ]
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    before: int | None = None
    for row in sorted(found.rows, key=lambda row: (_section(found, row), _smt(row))):
        if before is not None and _section(found, row) != before:
            table.add_section()
        before = _section(found, row)
        cells = [
            role(found, row.setting),
            named(row.setting),
            share(row.accuracy),
            share(row.smt),
            f"{row.held_out.per_run(lambda each: each.lrm_tokens):,.0f}",
            f"{row.held_out.per_run(lambda each: each.lrm_requests):,.1f}",
        ]
        if with_usd:
            cells.append("–" if row.usd is None else f"{row.usd.value:.6f}")
        is_chosen = row.setting == found.recommended
        table.add_row(*cells, style="bold" if is_chosen else "")
    return table


def _section(found: Calibration, row: SettingRow) -> int:
    if row.setting in (found.recommended, found.default):
        return 0
    return 2 if row.setting.is_without_triggers else 1


def _smt(row: SettingRow) -> float:
    return 0.0 if row.smt is None else row.smt.value


def share(found: Estimate | None) -> str:
    """A share and its interval in per cent, or a dash."""
    if found is None:
        return "–"
    low, high = 100 * found.low, 100 * found.high
    return f"{100 * found.value:.3g} ({low:.0f}–{high:.0f})"


def verdict(found: Calibration) -> Iterator[Text]:
    """The conclusions from the numbers, in sentences."""
    if found.recommended == found.default:
        yield Text(
            "Keep the default: no setting was better in one aim, and worse in neither, on the "
            f"{counted(found.questions[0], 'question')} of the search."
        )
    else:
        chosen = found.recommended
        yield Text(f"Recommended: {settings(chosen.method, chosen.thresholds)}.")
        yield Text(
            "Held out, against the default: "
            f"accuracy {difference(found.accuracy, 100, ' points')}, {_read(found.accuracy)}; "
            f"{_thrift(found)}, {_read(found.thrift)}."
        )
    if others := _no_worse(found):
        yield Text(
            "Held out, as good as the default or better in both aims, but not chosen by the "
            f"search: {'; '.join(map(named, others))}. If you pick one by these numbers, expect a "
            "little less."
        )
    yield Text(_against_coin(found))


def _read(found: Difference) -> str:
    """The conclusion that an interval allows."""
    if found.low > 0:
        return "better"
    return "worse" if found.high < 0 else "which chance can do"


def _no_worse(found: Calibration) -> list[Setting]:
    """Other settings of the front that, held out, are no worse than the default in either aim."""
    rest = found.on_front - {found.default, found.recommended}
    return [
        row.setting for row in found.rows if row.setting in rest and found.is_no_worse(row.setting)
    ]


def _thrift(found: Calibration) -> str:
    if found.thrift_name == "smt":
        return f"SMT {difference(found.thrift, 100, ' points')}"
    less = found.thrift
    return f"USD per run {-less.value:+.6f} ({-less.high:+.6f} to {-less.low:+.6f})"


def _against_coin(found: Calibration) -> str:
    """Whether triggers help, compared with the same thrift without them."""
    saved = "SMT" if found.thrift_name == "smt" else "cost"
    if found.recommended.is_without_triggers:
        return "No trigger is in use, so nothing is said of what triggers are good for."
    if found.coin is None:
        return f"No two settings without triggers span this {saved}: there is nothing to compare."
    coin, gain = found.coin, found.coin.gain
    comparison = (
        f"Without triggers, a coin per question between {_bare(coin.one)} and {_bare(coin.other)} "
        f"has the same {saved}; triggers change accuracy by "
        f"{difference(gain, 100, ' points')}: "
    )
    if gain.low > 0:
        return comparison + "they help."
    return comparison + ("they do harm." if gain.high < 0 else "no sign that they help.")


def _bare(setting: Setting) -> str:
    if setting.method == "trigreason":
        return f"priming with n = {setting.thresholds.n}"
    return method_title(setting.method)


def as_flags(method: str, thresholds: Thresholds) -> str:
    """A method and the thresholds that it decides by, as options of ``solve``."""
    used = method_entry(method).decides_by
    flags = [] if method == "trigreason" else ["--method", method]
    for key in (*KEYS, *OTHER_KEYS):
        if key == "cues" and key in used:
            flags += [part for cue in thresholds.cues for part in ("--cue", cue)]
        elif key in used:
            flags += [f"--{key}", str(getattr(thresholds, key))]
    return shlex.join(flags)


def share_in_words(found: Budgeted, direction: str) -> Iterator[Text]:
    """The result of a calibration without labels: thresholds, expected shares, and doubts."""
    chosen = found.thresholds
    wanted = "" if found.wanted is None else f"; wanted {_per_cent(found.wanted)}"
    yield Text(settings(found.method, chosen), "bold")
    yield Text(
        f"On {counted(found.runs, 'recorded run')} of {counted(found.questions, 'question')} the "
        f"LRM then writes {_per_cent(found.share)} of the thinking (95 % interval "
        f"{_per_cent(found.low)} to {_per_cent(found.high)}{wanted}), "
        f"so SMT is {_per_cent(1 - found.share)}."
    )
    if found.wanted is not None and not found.is_met:
        yield Text(_nothing_closer(found, found.wanted), "note")
    steps = ", ".join(
        f"{TRIGGER_NAMES[trigger]} {_per_cent(part)}"
        for trigger, part in found.steps.items()
        if part
    )
    yield Text(f"Steps by the LRM: {steps or 'none'}.")
    if found.left_out:
        kind = "of other methods than the SRM alone" if found.is_srm_alone else "without SRM steps"
        yield Text(f"{counted(found.left_out, 'run')} {kind} left out.", "dim")
    if not found.is_srm_alone:
        yield Text("No run is the SRM's alone, which makes this rougher.", "note")
    yield Text(
        "An estimate: the LRM is taken to write each of these steps with "
        f"{found.token_ratio:.2g} times the SRM's tokens, and the SRM to go on as it did. Where "
        "the LRM's steps set the SRM right, fewer of its steps fire, and the LRM writes less: run "
        "some questions with these thresholds before you rely on them.",
        "dim",
    )
    if "direction" in method_entry(found.method).decides_by:
        yield _direction(found.direction, chosen.direction, direction)


def _nothing_closer(found: Budgeted, wanted: float) -> str:
    if "rho" not in method_entry(found.method).decides_by:
        return f"No threshold of {method_title(found.method)} comes closer to " + (
            f"{_per_cent(wanted)}."
        )
    return (
        f"No ρ comes closer to {_per_cent(wanted)} with this direction and τ: too many "
        "steps have one and the same share of certain tokens. Try another --tau."
    )


def _per_cent(part: float) -> str:
    return f"{100 * part:.1f} %"


def _direction(evidence: Auc | None, used: Direction, said: str) -> Text:
    subject = f"{said[0].upper()}{said[1:]}: the LRM rewrites {OPPOSITE[used]} steps"
    if evidence is None:
        return Text(
            f"{subject}. Runs without known outcomes cannot say whether these are the wrong ones: "
            "calibrate with --task, or see study signals."
        )
    measured = (
        f"a wrong run has the higher share of certain tokens with a chance of {evidence.value:.2f} "
        f"(95 % interval {evidence.low:.2f} to {evidence.high:.2f}; {evidence.wrong} wrong and "
        f"{evidence.right} right runs of the SRM)"
    )
    speaks_for = supported(evidence)
    if speaks_for is None:
        return Text(f"{subject}. Their outcomes speak for neither direction: {measured}.")
    if speaks_for is used:
        return Text(f"{subject}, and the outcomes speak for it: {measured}.")
    return Text(
        f"{subject}, but the outcomes speak for the opposite: {measured}. "
        f"Try --direction {speaks_for}.",
        "note",
    )
