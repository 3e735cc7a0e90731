"""All methods on a pair of real language models: accuracy, tokens and seconds.

    python -m bench.real_pair run
    python -m bench.real_pair table

The models are Qwen2.5-Coder-Instruct 0.5B and 1.5B (Q4_K_M, greedy, thinking in the open). A run
that is there is not made again, so the program can be ended at any moment and goes on where it was.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from bench.common import DATA_VARIABLE, machine
from bench.real_pair import methods as of_methods
from bench.real_pair import running, timing
from bench.real_pair.exporting import write_traces
from bench.real_pair.pair import real_pair
from bench.real_pair.questions import CANDIDATES, SETS, DataSet, Drawn, drawn, family
from bench.real_pair.records import RESULTS, SETTINGS, Ledger, Records, writing
from bench.real_pair.table import lines
from bench.real_pair.table import table as data_table
from bench.real_pair.words import under
from trigreason.configuration import ConfigurationError
from trigreason.engines.base import EngineError

QUIET = 0.5
"""The largest load of a machine that counts as quiet."""


def run(chosen: Namespace) -> None:
    """Make what is missing, question by question, until all is there or it is ended."""
    measured = real_pair()
    sets = _drawn(chosen)
    with writing(chosen.out) as ledger:
        asyncio.run(running.run(measured, sets, ledger, _say))


def methods(chosen: Namespace) -> None:
    """Make what is missing of the comparison of all methods; bench.methods shows its table."""
    measured, found = real_pair(), drawn(of_methods.DATA, chosen.data)
    with writing(chosen.out) as ledger:
        asyncio.run(of_methods.run(measured, found, ledger, _say))


def pilot(chosen: Namespace) -> None:
    """Put both models alone to a few questions of some families of BIG-Bench Hard."""
    measured = real_pair()
    sets = [drawn(family(each), chosen.data) for each in CANDIDATES]
    with writing(chosen.out) as ledger:
        asyncio.run(running.pilot(measured, sets, ledger, _say))


def table(chosen: Namespace) -> None:
    """What there is, as tables; with the questions at hand it is graded anew."""
    records = Records(chosen.out)
    console = Console(width=None if Console().is_terminal else 220, highlight=False)
    for data in _sets(chosen):
        questions = drawn(data, chosen.data).evaluation if chosen.data else []
        found = lines(records.runs(data.name), records.told(SETTINGS), data, questions)
        if found:
            console.print(data_table(data, found))
            for line in under(data, found, records):
                console.print(line)
    speeds, runs = timing.last_session(chosen.out / timing.FILE)
    if runs:
        console.print(timing.table(speeds, runs))
        console.print(*timing.speeds_in_words(speeds), sep="\n")


def time_rows(chosen: Namespace) -> None:
    """Seconds and ceilings on a few questions; for a machine that does nothing else."""
    load = os.getloadavg()[0]
    if load > QUIET:
        raise ValueError(f"the machine is busy (load {load:.2f}); wait until nothing else runs")
    sets = [drawn(data, chosen.data) for data in _sets(chosen)[:1]]
    with writing(chosen.out) as ledger:
        asyncio.run(_time(ledger, sets[0], chosen.items, load))
    speeds, runs = timing.last_session(chosen.out / timing.FILE)
    console = Console(width=None if Console().is_terminal else 180, highlight=False)
    console.print(timing.table(speeds, runs))
    console.print(*timing.speeds_in_words(speeds), sep="\n")


async def _time(ledger: Ledger, chosen: Drawn, items: int, load: float) -> None:
    async with running.session(real_pair(), ledger, _say) as now:
        thresholds = (await now.calibrate([chosen]))[chosen.data.name]
        await timing.measure(now, chosen, thresholds, items, machine(), load)


def traces(chosen: Namespace) -> None:
    """Write the runs as lines of traces, for trigreason study, replay and calibrate."""
    records = Records(chosen.out)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    for each in _drawn(chosen):
        count = write_traces(records, each, chosen.folder)
        print(f"{count} runs of {each.data.name}")


def _sets(chosen: Namespace) -> list[DataSet]:
    return [each for each in SETS if chosen.only in (None, each.name)]


def _drawn(chosen: Namespace) -> list[Drawn]:
    return [drawn(each, chosen.data) for each in _sets(chosen)]


COMMANDS: dict[str, Callable[[Namespace], None]] = {
    "run": run,
    "methods": methods,
    "table": table,
    "timing": time_rows,
    "traces": traces,
    "pilot": pilot,
}


def main() -> None:
    arguments = ArgumentParser(
        "python -m bench.real_pair",
        description=__doc__,
        formatter_class=RawDescriptionHelpFormatter,
    )
    arguments.add_argument(
        "--out", type=Path, default=RESULTS, help="folder of the results (default: %(default)s)"
    )
    arguments.add_argument(
        "--data",
        default=os.environ.get(DATA_VARIABLE),
        help=f"folder with the published questions (default: ${DATA_VARIABLE})",
    )
    commands = arguments.add_subparsers(required=True, metavar="COMMAND")
    parsers = {
        name: commands.add_parser(name, help=each.__doc__) for name, each in COMMANDS.items()
    }
    for name, each in COMMANDS.items():
        parsers[name].set_defaults(command=each)
    for name in ("run", "table", "timing", "traces"):
        parsers[name].add_argument(
            "--only", choices=[each.name for each in SETS], help="one data set alone"
        )
    parsers["timing"].add_argument("--items", type=int, default=8, help="questions (default: 8)")
    parsers["traces"].add_argument("folder", type=Path, metavar="FOLDER", help="where to write")
    chosen = arguments.parse_args()
    try:
        chosen.command(chosen)
    except (ValueError, EngineError, ConfigurationError) as error:
        sys.exit(f"real_pair: {error}")
    except KeyboardInterrupt:
        sys.exit("real_pair: ended; the same command goes on from here")


def _say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


if __name__ == "__main__":
    main()
