"""Draws the docs' pictures: real runs, as a terminal shows them.

python docs/picture.py demo [SEED]          docs/demo.svg
python docs/picture.py doctor NAME [URL]    docs/doctor-NAME.svg, of the server at URL, or of
                                            llama.cpp with the bundled SRM
"""

from __future__ import annotations

import asyncio
import io
import os
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from trigreason import bundled
from trigreason.cli.console import THEME
from trigreason.cli.demo import Demo, perform, pick
from trigreason.cli.doctor import examine_all, named_engine
from trigreason.configuration import bundled_pair
from trigreason.engines.base import Sampling
from trigreason.engines.embedded import load

DOCS = Path(__file__).parent
OWN_MODEL = Path(os.path.relpath(bundled.SRM_FILE))
"""The server calls the model by its path, and the machine's folders are of no interest."""

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


def terminal() -> Console:
    return Console(
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


def save(console: Console, name: str, command: str) -> None:
    console.save_svg(str(DOCS / f"{name}.svg"), title=command, theme=COLOURS)


def draw_demo(seed: int = 0) -> None:
    console = terminal()
    problems = pick(bundled.problems(), 1, None, seed)
    demo = Demo(bundled_pair(), problems, "trigreason", Sampling(seed=seed))
    asyncio.run(perform(demo, console))
    save(console, "demo", "trigreason demo --count 1" + (f" --seed {seed}" if seed else ""))


async def draw_doctor(name: str, url: str | None = None) -> None:
    console = terminal()
    own = None if url else await load(OWN_MODEL)
    place = url or (own.url if own else "")
    await examine_all([named_engine(place)], console)
    if own:
        await own.close()
    save(console, f"doctor-{name}", f"trigreason doctor {place}")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["demo", *seed]:
            draw_demo(*map(int, seed))
        case ["doctor", str(name), *urls] if len(urls) < 2:
            asyncio.run(draw_doctor(name, *urls))
        case _:
            sys.exit(__doc__)
