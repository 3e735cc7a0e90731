"""The ``trigreason`` command; one file per subcommand."""

from __future__ import annotations

import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit: 0 success, 1 failure, 2 wrong usage, 130 interrupted."""
    try:
        # Imported here, because loading takes long enough for a Ctrl-C to arrive during it.
        from trigreason.cli.app import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt as interruption:
        print(": ".join(["trigreason: interrupted", *map(str, interruption.args)]), file=sys.stderr)
        code = INTERRUPTED
    sys.exit(code)
