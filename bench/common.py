"""What every benchmark prints and reads: the machine, published items, intervals."""

from __future__ import annotations

import json
import math
import os
import platform
import random
from argparse import ArgumentParser, Namespace
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from trigreason.bundled import Problem, problems

DATA_VARIABLE = "TRIGREASON_DATA"


class Interval(NamedTuple):
    low: float
    high: float


def parser(description: str | None, items: int) -> ArgumentParser:
    """Arguments that all benchmarks share."""
    arguments = ArgumentParser(description=description)
    arguments.add_argument("--items", type=int, default=items, help="problems per family")
    arguments.add_argument(
        "--data",
        type=Path,
        default=os.environ.get(DATA_VARIABLE),
        help=f"folder with bbh/*.json, the published items (default: ${DATA_VARIABLE})",
    )
    arguments.add_argument("--seed", type=int, default=0)
    return arguments


def chosen_problems(arguments: Namespace) -> tuple[list[Problem], str]:
    """Up to ``--items`` problems of each bundled family, and where they come from."""
    families = sorted({problem.family for problem in problems()})
    if arguments.data is None:
        pool, source = problems(), "generated problems that come with the package"
    else:
        pool = [each for family in families for each in _published(arguments.data, family)]
        source = "published items of BIG-Bench Hard"
    chooser = random.Random(arguments.seed)
    chosen: list[Problem] = []
    for family in families:
        own = [problem for problem in pool if problem.family == family]
        chosen += chooser.sample(own, min(arguments.items, len(own)))
    return chosen, f"{len(chosen)} {source}, {len(families)} families"


def machine() -> str:
    """One line: processor, cores, Python and the versions that matter."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("xllamacpp", "aiohttp"))
    cores = os.cpu_count()
    return f"{_processor()}, {cores} cores, Python {platform.python_version()}, {versions}"


def wilson(right: int, total: int) -> Interval:
    """The 95 % Wilson interval of a share."""
    if not total:
        return Interval(0.0, 1.0)
    z = 1.96
    share = right / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = (
        z
        * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
        / (1 + z * z / total)
    )
    return Interval(middle - half, middle + half)


def _published(folder: Path, family: str) -> list[Problem]:
    examples = json.loads((folder / "bbh" / f"{family}.json").read_text())["examples"]
    return [Problem(family, each["input"], each["target"]) for each in examples]


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
