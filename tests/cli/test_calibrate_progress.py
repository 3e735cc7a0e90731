"""How far a calibration has come, on a terminal and elsewhere."""

from __future__ import annotations

import io

from rich.console import Console

from trigreason.cli.calibrate_progress import SECONDS_BETWEEN_LINES, Calibrating
from trigreason.studies.calibration.ledger import RunOutcome
from trigreason.studies.calibration.search import Stage
from trigreason.studies.calibration.setting import Setting

OUTCOME = RunOutcome(
    right=True,
    smt=0.5,
    usd=None,
    lrm_tokens=1,
    lrm_requests=1,
    drafts=0,
    seconds=0.1,
    truncated=False,
)


def test_lines_now_and_then_where_nothing_can_be_redrawn() -> None:
    times = iter(range(0, 10_000, int(SECONDS_BETWEEN_LINES / 3)))
    console = Console(file=io.StringIO())
    progress = Calibrating(30, 2, console, clock=lambda: float(next(times)))
    with progress.shown():
        progress.enter(Stage("anchors", 1, 10))
        for number in range(20):
            progress.watch(Setting(), OUTCOME, number < 5)
        progress.enter(Stage("held-out questions", 4, 10))
        for _ in range(3):
            progress.watch(Setting(), OUTCOME, False)
    assert isinstance(console.file, io.StringIO)
    told = console.file.getvalue().splitlines()
    assert told[0] == "trigreason: anchors: 1 setting on 10 questions"
    assert told[1] == "trigreason: 3 of about 30 runs"
    assert told[-2] == "trigreason: held-out questions: 4 settings on 10 questions"
    assert told[-1] == "trigreason: 21 of about 100 runs"
    assert len(told) == 2 + 23 // 3
    assert (progress.asked, progress.known) == (18, 5)
