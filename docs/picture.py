"""Draws the README's picture: a real run of the demo, as a terminal shows it.

python docs/picture.py [SEED]
"""

from __future__ import annotations

import asyncio
import io
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from trigreason import bundled
from trigreason.cli.console import THEME
from trigreason.cli.demo import Demo, perform, pick
from trigreason.engines.base import Sampling

PICTURE = Path(__file__).with_name("demo.svg")
COLUMNS = 96
_EIGHT = [
    (40, 44, 52),
    (240, 113, 120),
    (152, 195, 121),
    (229, 192, 123),
    (97, 175, 239),
    (226, 136, 236),
    (86, 210, 222),
    (220, 223, 228),
]
COLOURS = TerminalTheme((30, 33, 39), (220, 223, 228), _EIGHT, _EIGHT)


def draw(seed: int) -> None:
    console = Console(
        theme=THEME,
        highlight=False,
        markup=False,
        record=True,
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor",
        no_color=False,
        width=COLUMNS,
    )
    problems = pick(bundled.problems(), 1, None, seed)
    asyncio.run(perform(Demo(problems, "trigreason", Sampling(seed=seed)), console))
    command = "trigreason demo --count 1" + (f" --seed {seed}" if seed else "")
    console.save_svg(str(PICTURE), title=command, theme=COLOURS)


if __name__ == "__main__":
    draw(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
