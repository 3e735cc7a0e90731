"""What a transcript looks like on a terminal."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from tests.runs import GREEDY
from trigreason.bundled import problems
from trigreason.cli.console import THEME, printable
from trigreason.cli.live import Transcript
from trigreason.events import Done, DraftDropped, StepAccepted, StepBegun, TokensArrived
from trigreason.pairs import Pair
from trigreason.reasoner import reason
from trigreason.reasoning import Direction, Thresholds

BUSY = Thresholds(n=1, rho=0.95, direction=Direction.UNDER, k=1)
CYAN, MAGENTA, STRUCK = "\x1b[36m", "\x1b[35m", ";9m"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def transcript(pair: Pair, *, width: int = 80, no_color: bool = False) -> tuple[str, Done]:
    file = Terminal()
    console = Console(
        theme=THEME,
        file=file,
        force_terminal=True,
        color_system="standard",
        width=width,
        height=24,
        no_color=no_color,
        highlight=False,
    )
    run = reason(pair, problems()[0].question, thresholds=BUSY, sampling=GREEDY)
    with Transcript(console) as shown:
        async for event in run:
            shown.show(event)
    assert isinstance(event, Done)
    return file.getvalue(), event


async def test_authors_have_colours_and_drafts_are_struck_through(bundled_pair: Pair) -> None:
    text, done = await transcript(bundled_pair)
    assert MAGENTA in text
    if any(step.author == "srm" for step in done.trace.standing):
        assert CYAN in text
    assert bool(done.trace.drafts) is (STRUCK in text)
    assert text.endswith("\x1b[?25h") or "\x1b[?25h" in text


async def test_the_last_line_counts_tokens_as_they_come(bundled_pair: Pair) -> None:
    console = Console(theme=THEME, file=io.StringIO(), width=80, highlight=False)
    shown, standing, arrived, counts = Transcript(console), 0, 0, set[int]()
    async for event in reason(bundled_pair, problems()[0].question, thresholds=BUSY):
        shown.show(event)
        match event:
            case StepBegun():
                arrived = 0
            case TokensArrived():
                arrived += event.tokens
                with console.capture() as last:
                    console.print(shown)
                assert f" · {standing + arrived} token" in last.get()
                counts.add(standing + arrived)
            case StepAccepted():
                standing, arrived = standing + event.step.tokens, 0
            case DraftDropped():
                arrived = 0
    assert len(counts) > standing / 2


@pytest.mark.slow
@pytest.mark.parametrize("width", [40, 30])
async def test_a_narrow_terminal(bundled_pair: Pair, width: int) -> None:
    text, done = await transcript(bundled_pair, width=width)
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text).splitlines()
    assert max(map(len, lines)) <= width
    joined = "".join("".join(line.split("│ ")[-1].split("✗ ")[-1]) for line in lines)
    for step in done.trace.steps:
        assert step.text.split()[-1] in joined


async def test_without_colour(bundled_pair: Pair) -> None:
    text, _ = await transcript(bundled_pair, no_color=True)
    assert MAGENTA not in text
    assert CYAN not in text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2Jb", "a␛[2Jb"),
        ("a\r\nb\tc\n", "a\nb\tc\n"),
        ("a\rb\x07\x9b", "a␍b␇\ufffd"),
        ("naïve 🧑‍🔬 ρ\u00a0x", "naïve 🧑‍🔬 ρ\u00a0x"),
    ],
)
def test_a_model_cannot_steer_the_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown
