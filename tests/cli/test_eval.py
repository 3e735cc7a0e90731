"""``trigreason eval``: how it is called, what it shows, and what it says at the end."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tests.cli.commands import Command
from trigreason.cli.comparison_progress import SECONDS_BETWEEN_LINES, Watching, duration
from trigreason.cli.comparison_table import shown
from trigreason.configuration import bundled_pair
from trigreason.evaluation import registry
from trigreason.evaluation.answering import own_arm
from trigreason.evaluation.comparison import ArmOutcome, Plan
from trigreason.evaluation.questions import TASKS
from trigreason.evaluation.report.collect import gathered
from trigreason.evaluation.report.conclusion import conclusion
from trigreason.evaluation.report.numbers import comparison_to_json
from trigreason.evaluation.runs import Failed, Run
from trigreason.reasoning import Author, Message, StepRecord, Stretch, Thresholds, Trace
from trigreason.reasoning.records import Purpose
from trigreason.reasoning.steps import StepEnd
from trigreason.reasoning.triggers import Trigger

PAIR = bundled_pair()
LRM, TRIGREASON = (replace(own_arm(PAIR), method=method) for method in ("lrm", "trigreason"))


def a_run(method: str, sample: str, right: bool, *, epoch: int = 1, seconds: float = 2.0) -> Run:
    """A run of 30 tokens of thinking, a third of them the LRM's where the method is TrigReason."""
    authors = [Author.LRM] if method == "lrm" else [Author.LRM, Author.SRM, Author.SRM]
    trace = Trace(method, TRIGREASON.thresholds, (Message("user", "?"),), {}, seconds=seconds)
    for index, author in enumerate(authors):
        tokens = 30 // len(authors)
        trace.stretches.append(Stretch(author, Purpose.WRITE, completion_tokens=tokens))
        trigger = Trigger.STRATEGIC_PRIMING if index == 0 and method != "lrm" else None
        trace.steps.append(
            StepRecord(author, "…", tokens, StepEnd.BLANK_LINE, index, trigger=trigger)
        )
    return Run(trace=trace, task="bundled", sample=sample, epoch=epoch, right=right)


def outcomes() -> list[ArmOutcome]:
    """Four questions: the LRM gets three right, TrigReason two of those, and one run failed."""
    lrm = [a_run("lrm", str(each), each < 3) for each in range(4)]
    ours = [a_run("trigreason", str(each), each < 2) for each in range(3)]
    return [
        ArmOutcome(arm=LRM, log=None, runs=lrm, errors=[], planned=4),
        ArmOutcome(
            arm=TRIGREASON,
            log=None,
            runs=ours,
            errors=[Failed("3", 1, "the server went away")],
            planned=4,
        ),
    ]


PLAN = Plan(task="bundled", pair=PAIR, arms=(LRM, TRIGREASON), logs=Path("logs"), limit=4)


def printed(outcomes: list[ArmOutcome]) -> str:
    console = Console(file=io.StringIO(), width=80)
    console.print(*shown(gathered(PLAN, outcomes)), sep="\n")
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_tables() -> None:
    lines = [line.strip().split("  ") for line in printed(outcomes()).split("\n")]
    cells = {row[0]: [cell.strip() for cell in row[1:] if cell.strip()] for row in lines}
    assert cells["method"] == ["LRM only", "TrigReason"]
    assert cells["answers"] == ["4", "3 of 4"]
    assert cells["accuracy"] == ["75.0 %", "66.7 %"]
    # on the three questions of both, the LRM is right in all and TrigReason in two
    assert cells["TrigReason minus LRM only"] == ["\u221233.3", "0.423", "3", "within chance"]
    assert cells["SMT"] == ["0.0 %", "66.7 %"]
    assert cells["handovers to the LRM"] == ["–", "1.00"]
    assert cells["strategic priming"] == ["–", "1.00"]
    assert "cognitive offload" not in cells
    assert cells["tokens/s"] == ["15.0", "15.0"]
    assert "USD per 1,000 answers" not in cells, "nothing is known of prices"


def test_the_conclusion() -> None:
    lrm, ours = outcomes()
    assert conclusion(gathered(PLAN, [lrm, ours])) == (
        "TrigReason has 66.7 % right, the LRM alone 75.0 % (\u221233.3 points, \u2212100.0 to "
        "+100.0; within chance on 3 questions in common). It took 10 tokens of the LRM per answer "
        "instead of 30, 1.00 times the seconds; the SRM wrote 67 % of the thinking."
    )
    without = "TrigReason has 66.7 % right; the SRM wrote 67 % of the thinking."
    assert conclusion(gathered(PLAN, [ours])) == without
    assert conclusion(gathered(PLAN, [lrm])) == ""
    other = replace(ours, arm=replace(TRIGREASON, thresholds=Thresholds(n=0)), runs=ours.runs[2:])
    of_two = conclusion(gathered(PLAN, [lrm, other, ours]))
    assert ", the best of 2, has 66.7 % right" in of_two
    unscored = replace(ours, runs=[replace(run, right=None) for run in ours.runs])
    assert conclusion(gathered(PLAN, [lrm, unscored])) == ""
    assert conclusion(gathered(PLAN, [])) == ""


def told_of(outcomes: list[ArmOutcome]) -> Any:
    return json.loads(json.dumps(comparison_to_json(gathered(PLAN, outcomes)), allow_nan=False))


def test_the_same_as_json() -> None:
    told = told_of(outcomes())
    lrm, ours = told["arms"]
    assert (told["task"], told["pair"]) == ("bundled", "bundled")
    assert told["settings"] == {"seed": 0, "limit": 4, "epochs": 1}
    assert (lrm["settings"]["method"], lrm["complete"]) == ("lrm", True)
    assert (ours["complete"], ours["planned"], ours["logs"]) == (False, 4, [])
    assert ours["failed"] == [{"sample": "3", "epoch": 1, "reason": "the server went away"}]
    assert ours["summary"]["accuracy"]["value"] == pytest.approx(2 / 3)
    (difference,) = told["differences"]
    assert (difference["first"], difference["second"]) == ("TrigReason", "LRM only")
    assert difference["value"] == pytest.approx(-1 / 3)
    assert difference["questions"] == 3
    slower = [
        replace(each, runs=[replace(run, trace=slow(run.trace)) for run in each.runs])
        for each in outcomes()
    ]
    again = told_of(slower)
    for one, other in zip(told["arms"], again["arms"], strict=True):
        assert one.pop("clock") != other.pop("clock")
    assert told == again


def slow(trace: Trace) -> Trace:
    return replace(trace, seconds=trace.seconds * 2)


def test_an_arm_without_a_run() -> None:
    lrm, ours = outcomes()
    some = [lrm, replace(ours, runs=[])]
    assert "0 of 4" in printed(some)
    assert told_of(some)["arms"][1]["summary"] == {}
    nothing = [replace(each, runs=[]) for each in outcomes()]
    assert "0 of 4" in printed(nothing)
    assert told_of(nothing)["arms"][0]["summary"] == {}


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_in_a_pipe_there_is_a_line_now_and_then() -> None:
    clock, out = Clock(), io.StringIO()
    names = {LRM: "LRM only", TRIGREASON: "TrigReason"}
    with Watching("bundled", names, Console(file=out), clock) as watching:
        watching.begin(2, {LRM: [a_run("lrm", "0", True)], TRIGREASON: []})
        for sample in ("0", "1"):
            clock.now += SECONDS_BETWEEN_LINES * 0.6
            watching.finished(TRIGREASON, a_run("trigreason", sample, sample == "1"))
        watching.failed(LRM, "the server went away")
    assert out.getvalue().splitlines() == [
        "trigreason: bundled: 4 runs, 1 of them there",
        "trigreason: 3 of 4 runs (75 %), 0:18 gone, 0:09 left; "
        "right so far: LRM only 100.0 %, TrigReason 50.0 %",
    ]


def test_what_is_complete_is_not_talked_about() -> None:
    out = io.StringIO()
    with Watching("bundled", {LRM: "LRM only"}, Console(file=out), Clock()) as watching:
        watching.begin(1, {LRM: [a_run("lrm", "0", True)]})
    assert out.getvalue() == ""


class Terminal(io.StringIO):
    """A double of a terminal: it says that it is one, and keeps what is drawn on it."""

    def isatty(self) -> bool:
        return True


def test_on_a_terminal_there_is_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    clock, out = Clock(), Terminal()
    console = Console(file=out, width=80, force_terminal=True, color_system=None)
    names = {LRM: "LRM only", TRIGREASON: "TrigReason"}
    with Watching("bundled, pair mine", names, console, clock, "a.gguf") as watching:
        watching.begin(2, {LRM: [a_run("lrm", "0", True)], TRIGREASON: []})
        clock.now = 4
        console.print(watching._table())
        assert "0:04 Loading a.gguf …" in out.getvalue()
        watching.opened()
        out.truncate(0)
        clock.now = 60
        watching.finished(TRIGREASON, a_run("trigreason", "0", False))
        watching.failed(LRM, "the server went away")
    shown = out.getvalue().replace("\x1b", "\n")
    assert "Loading" not in shown
    for told in (
        "bundled, pair mine",
        "LRM only      1/2   100.0 %    0.0 %         15   done",
        "TrigReason    1/2     0.0 %   66.7 %         15   1:00",
        "3 of 4 runs (75 %), 1:00 gone, 1:00 left, 1 failed",
        "! 1 run: the server went away",
    ):
        assert told in shown


@pytest.mark.parametrize(
    ("seconds", "told"), [(0, "0:00"), (59.6, "1:00"), (3599, "59:59"), (3600, "1:00:00")]
)
def test_durations(seconds: float, told: str) -> None:
    assert duration(seconds) == told


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["aime2024"], 2, "no task is called 'aime2024'; did you mean aime24?"),
        (["bundled", "--method", "srm,lmr"], 2, "no method is called 'lmr'; did you mean lrm?"),
        (["bundled", "--method", " ,"], 2, "--method names no method"),
        (["bundled", "--pair", "mine"], 2, "no pair is called 'mine'"),
        (["bundled", "--budget", "0"], 2, "a budget of 0 thinking tokens leaves no room"),
        (["bundled", "--temperature", "9"], 2, "temperature must lie between 0 and 5"),
        (["bundled", "--group", "navigation"], 1, "bundled has no group 'navigation'"),
        (["bundled", "--data", "nowhere"], 1, "there is no file or folder nowhere"),
    ],
)
def test_wrong_use_is_one_line(
    command: Command, tmp_path: Path, arguments: list[str], code: int, told: str
) -> None:
    left = command("eval", *arguments, "--logs", str(tmp_path / "logs"))
    left.check_complaint(code, told)
    assert left.out == ""
    assert not (tmp_path / "logs").exists()


@pytest.mark.slow
def test_a_comparison_from_end_to_end(command: Command, tmp_path: Path) -> None:
    asked = ["eval", "bundled", "--method", "trigreason,lrm", "--limit", "1"]
    asked += ["--group", "navigate", "--logs", str(tmp_path)]
    left = command(*asked, "--json")
    begun, *progress = left.err.splitlines()
    assert (left.code, begun) == (0, "trigreason: bundled, pair bundled: 2 runs")
    assert all(" of 2 runs (" in line for line in progress)
    assert [arm["name"] for arm in left.json["arms"]] == ["LRM only", "TrigReason"]
    assert all(Path(log).exists() for arm in left.json["arms"] for log in arm["logs"])
    assert all(arm["complete"] for arm in left.json["arms"])
    again = command(*asked)
    assert (again.code, again.err) == (0, "")
    assert "TrigReason minus LRM only" in again.out
    last = again.out.splitlines()[-1]
    assert last.startswith(f"The runs are in {tmp_path}. trigreason report {tmp_path} ")


@pytest.mark.parametrize(
    ("arguments", "hub"),
    [
        (("aime24",), "HuggingFaceH4/aime_2024"),
        (("bbh", "--data", "hub"), "SaylorTwift/bbh"),
        (("bundled",), None),
        (("aime24", "--data", "somewhere"), None),
    ],
)
def test_what_is_read_from_the_hub_is_told_before(
    command: Command, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], hub: str | None
) -> None:
    def compare(_: Plan) -> None:
        raise ValueError("no more")

    monkeypatch.setattr("trigreason.cli.eval._outcomes", compare)
    *before, last = command("eval", *arguments).err.splitlines()
    assert last == "trigreason: no more"
    assert len(before) == (hub is not None)
    if hub is not None:
        assert before[0].startswith(f"trigreason: reading {hub} from the Hugging Face hub")


def test_every_task_is_named_wherever_tasks_are(command: Command) -> None:
    helps = (command(line, "--help").out.replace("\n", " ") for line in ("eval", "calibrate"))
    pages = (Path(page).read_text() for page in ("README.md", "docs/evaluation.md"))
    for text in (*helps, *pages):
        assert [task for task in TASKS if task not in text] == []
    assert set(TASKS) <= set(registry.__all__)
