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

from bench.common import DATA_VARIABLE
from bench.real_pair import running
from bench.real_pair.pair import real_pair
from bench.real_pair.questions import CANDIDATES, SETS, drawn, family
from bench.real_pair.records import writing
from trigreason.configuration import ConfigurationError
from trigreason.engines.base import EngineError

RESULTS = Path(__file__).parents[1] / "results" / "real_pair"


def run(chosen: Namespace) -> None:
    """Make what is missing, question by question, until all is there or it is ended."""
    measured = real_pair()
    sets = [drawn(each, chosen.data) for each in SETS]
    with writing(chosen.out) as ledger:
        asyncio.run(running.run(measured, sets, ledger, _say))


def pilot(chosen: Namespace) -> None:
    """Put both models alone to a few questions of some families of BIG-Bench Hard."""
    measured = real_pair()
    sets = [drawn(family(each), chosen.data) for each in CANDIDATES]
    with writing(chosen.out) as ledger:
        asyncio.run(running.pilot(measured, sets, ledger, _say))


COMMANDS: dict[str, Callable[[Namespace], None]] = {"run": run, "pilot": pilot}


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
    for name, command in COMMANDS.items():
        commands.add_parser(name, help=command.__doc__).set_defaults(command=command)
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
