"""A run on the terminal: steps as they are accepted, drafts struck through, handovers explained.

Printed lines never change. During a run, a real terminal has a few more lines below them: the step
under way as far as it is certain, and which model is writing it.
"""

from __future__ import annotations

from time import perf_counter

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.panel import Panel
from rich.spinner import Spinner
from rich.text import Text

from trigreason.cli.console import Redrawn, printable
from trigreason.cli.words import counted, degraded, how_it_ended, settings, why
from trigreason.events import (
    AnswerText,
    Done,
    DraftDropped,
    Event,
    HandedOver,
    RunBegun,
    StepAccepted,
    StepBegun,
    ThinkingText,
    TokensArrived,
    WentOnAlone,
)
from trigreason.reasoning import Author, StepRecord, Trace
from trigreason.reasoning.methods import method_title

LINES_LEFT_FREE = 6
"""Lines of the terminal that the step under way leaves free."""


class Gutter:
    """Wrapped text behind a label and a bar that runs down its side."""

    def __init__(self, label: str, bar: str, text: Text, style: str) -> None:
        self.label = label
        self.bar = bar
        self.text = text
        self.style = style

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        margin = len(self.label) + len(self.bar) + 2
        width = max(options.max_width - margin, 20)
        for index, line in enumerate(self.text.wrap(console, width, overflow="fold")):
            label = self.label if index == 0 else " " * len(self.label)
            line.rstrip()
            yield Text.assemble((f"{label} {self.bar} ", self.style), line)


def _step_block(step: StepRecord) -> Gutter:
    """A finished step: in its author's colour if it stands, struck through if it is a draft."""
    text = Text(printable(step.text).strip("\n").rstrip())
    if not step.standing:
        text.stylize("draft")
    if step.score is not None:
        text.append(f"  score {step.score:.2g}", "dim")
    if step.reward is not None:
        text.append(f"  reward {step.reward:.2f}", "dim")
    style = step.author.value if step.standing else "dim"
    return Gutter(step.author.upper(), "│" if step.standing else "✗", text, style)


def legend() -> Text:
    """How to read a transcript."""
    return Text.assemble(
        ("SRM │", "srm"),
        " small model   ",
        ("LRM │", "lrm"),
        " large model   ",
        ("SRM ✗", "dim"),
        " ",
        ("draft", "draft"),
        " thrown away   ",
        ("↳", "handover"),
        " why",
    )


def preface(trace: Trace) -> Group:
    """The beginning of a transcript: the method, its thresholds, and how to read the rest."""
    head = Text.assemble((method_title(trace.method), "bold"))
    if shown := settings(trace.method, trace.thresholds):
        head.append(f" · {shown}", "dim")
    return Group(head, legend(), "")


def question_block(question: str, title: str = "Question") -> Panel:
    return Panel(
        Text(printable(question.strip())),
        title=Text(title, "bold"),
        title_align="left",
        border_style="dim",
    )


class Transcript(Redrawn):
    """Shows one run after the other; use it as a context, so that the terminal is left tidy."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._trace: Trace | None = None
        self._written: list[StepRecord] = []
        self._author: Author | None = None
        self._under_way = ""
        self._arrived = 0
        self._answer = ""
        self._started = 0.0
        self._spinner = Spinner("dots")
        super().__init__(console, lambda: self, per_second=10)

    def show(self, event: Event) -> None:
        """Print what an event finishes, and remember what is under way."""
        match event:
            case RunBegun():
                self._trace, self._written = event.trace, []
                self._under_way = self._answer = ""
                self._started = perf_counter()
            case HandedOver():
                self._explain(event)
            case StepBegun():
                self._author, self._under_way, self._arrived = event.author, "", 0
            case TokensArrived():
                self._arrived += event.tokens
            case ThinkingText():
                self._under_way += event.text
            case StepAccepted() | DraftDropped():
                self._finish(event.step)
            case AnswerText():
                self._author, self._answer = event.author, self._answer + event.text
            case WentOnAlone():
                self._note(f"{event.reason} The {event.author.upper()} goes on alone.")
            case Done():
                self._author = None
                self._close(event.trace)

    def _explain(self, handover: HandedOver) -> None:
        assert self._trace is not None, "a run begins with RunBegun"
        reason = why(handover, self._written, self._trace.thresholds)
        if reason:
            self._console.print(Gutter("", "↳", Text(reason, "handover"), "handover"))

    def _finish(self, step: StepRecord) -> None:
        self._written.append(step)
        self._under_way, self._arrived = "", 0
        if step.text.strip():
            self._console.print(_step_block(step))

    def _close(self, trace: Trace) -> None:
        """Print the answer, and notes on how the run ended."""
        if trace.answer and not (trace.in_the_open and trace.answer == trace.reply):
            author = trace.answer_author or Author.LRM
            text = Text(printable(trace.answer), "bold")
            self._console.print(Gutter(author.upper(), "┃", text, f"{author.value}.answer"))
        self._note(how_it_ended(trace.stop, trace.limit))
        self._note(degraded(trace))

    def _note(self, note: str | None) -> None:
        if note:
            self._console.print(Gutter("", "!", Text(note, "note"), "note"))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The lines below: the step or the answer under way, and a spinner."""
        if self._author is None or self._trace is None:
            return
        under_way = self._answer or self._under_way
        if text := printable(under_way).strip("\n"):
            label, style = self._author.upper(), self._author.value
            yield Gutter(label, "│", Text(self._end_of(text, console)), style)
        seconds = perf_counter() - self._started
        standing = sum(step.tokens for step in self._written if step.standing)
        tokens = counted(standing + self._arrived, "token")
        self._spinner.update(
            text=Text(f"{self._author.upper()} writes · {tokens} so far · {seconds:.0f} s", "dim")
        )
        yield self._spinner

    @staticmethod
    def _end_of(text: str, console: Console) -> str:
        """The end of a text, as much of it as fits on the terminal."""
        lines = max(console.height - LINES_LEFT_FREE, 1)
        last = "\n".join(text.split("\n")[-lines:])
        return last[-lines * max(console.width // 2, 10) :]
