"""An examined endpoint on the terminal: each finding with its evidence and any advice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from trigreason.cli.console import printable
from trigreason.cli.words import counted
from trigreason.engines.probing import Finding, Report, State, Topic, Verdict, verdict
from trigreason.reasoning import Author

TITLES = {
    Topic.REACHABLE: "reachable",
    Topic.MODEL: "model found",
    Topic.TEMPLATE: "prompt template",
    Topic.THINKING: "thinks as expected",
    Topic.STEPS: "writes in steps",
    Topic.PREFIX: "continues a prefix",
    Topic.STREAMS: "streams as it writes",
    Topic.LOGPROBS: "gives logprobs",
    Topic.COMPLETE: "no placeholders",
    Topic.RAW: "raw logprobs",
    Topic.SEED: "honours a seed",
    Topic.STOP: "stops where told to",
    Topic.CLOSING: "stops when closed",
    Topic.CACHE: "counts cached tokens",
    Topic.QUESTION: "asks the question",
    Topic.CONTEXT: "room to think",
    Topic.SPEED: "speed",
}
_MARKS = {State.YES: ("✓", "right"), State.NO: ("✗", "wrong"), State.UNKNOWN: ("?", "note")}


class FindingLine(NamedTuple):
    """The state of the thing in ``title``, and the reason in words; ``advice`` is shown below."""

    state: State
    title: Text
    words: str
    advice: str | None = None


def show_report(console: Console, report: Report, asked: Sequence[Author]) -> None:
    """Print the findings, the roles that follow (those ``asked`` for in bold), and the cost."""
    findings = [
        FindingLine(each.state, Text(TITLES[each.topic]), _evidence(each), each.advice)
        for each in report.findings
    ]
    judged = [verdict(report, role) for role in Author]
    roles = [
        FindingLine(
            each.state,
            Text(f"as the {each.role.upper()}", "bold" * (each.role in asked)),
            _why(each),
        )
        for each in judged
    ]
    console.print(_head(report))
    _show_lines(console, findings)
    console.print()
    _show_lines(console, roles)
    if report.cost.requests:
        console.print()
        console.print(Text(_cost(report), "dim"))


def _head(report: Report) -> Text:
    head = Text(printable(report.place), "bold")
    return head.append(f" · dialect {report.dialect}", "not bold dim") if report.dialect else head


def _show_lines(console: Console, lines: Sequence[FindingLine]) -> None:
    """Print columns on a terminal, and elsewhere one line per finding, for other programs."""
    width = max(cell_len(line.title.plain) for line in lines) + 1
    if not console.is_terminal:
        for line in lines:
            advice = f"  → {line.advice}" if line.advice else ""
            mark = _MARKS[line.state][0]
            console.print(
                Text(f" {mark} {line.title.plain:{width}} {line.words}{advice}"), soft_wrap=True
            )
        return
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, min_width=width)
    table.add_column()
    for line in lines:
        mark, style = _MARKS[line.state]
        table.add_row(Text(f" {mark}", style), line.title, Text(line.words))
        if line.advice:
            table.add_row("", "", Text(f"→ {printable(line.advice)}", "note"))
    console.print(table)


def _evidence(finding: Finding) -> str:
    unsure = "cannot tell: " if finding.state is State.UNKNOWN else ""
    return unsure + printable(finding.evidence)


def _why(judged: Verdict) -> str:
    missing, weak = _listed(judged.missing), _listed(judged.weak)
    match judged.state:
        case State.YES:
            return f"yes; weak: {weak}" if weak else "yes"
        case State.NO:
            return f"no; missing: {missing}"
        case _:
            return f"cannot tell; open: {missing}"


def _listed(topics: Sequence[Topic]) -> str:
    return ", ".join(TITLES[topic] for topic in topics)


def _cost(report: Report) -> str:
    cost = report.cost
    read = f"{counted(cost.prompt_tokens, 'token')} in, " if cost.prompt_tokens else ""
    written = counted(cost.completion_tokens, "token")
    return f"{counted(cost.requests, 'request')}: {read}{written} out, {cost.seconds:.1f} s"
