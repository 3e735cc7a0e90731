"""Hashes of the published questions, by which training leaves them out on any machine.

``python -m training.published DIR`` rewrites the list from the BIG-Bench Hard files in DIR/bbh.
"""

import hashlib
import json
import sys
from pathlib import Path

from trigreason.bundled.families import FAMILIES

_LIST = Path(__file__).with_suffix(".sha256")


def digest(question: str) -> str:
    """The hash of a question, regardless of white space around it."""
    return hashlib.sha256(question.strip().encode()).hexdigest()


def hashes() -> frozenset[str]:
    """The committed hashes of all published questions of the families."""
    return frozenset(_LIST.read_text().split())


def questions(folder: Path, family: str) -> list[tuple[str, str]]:
    """The published questions of a family with their targets, from ``folder``/bbh."""
    examples = json.loads((folder / "bbh" / f"{family}.json").read_text())["examples"]
    return [(example["input"], example["target"]) for example in examples]


def main() -> None:
    """Write the list of hashes."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m training.published DIR (a folder that holds bbh/*.json)")
    folder = Path(sys.argv[1])
    found = {digest(q) for family in FAMILIES for q, _ in questions(folder, family)}
    _LIST.write_text("".join(f"{line}\n" for line in sorted(found)))
    print(f"{len(found)} hashes in {_LIST.name}")


if __name__ == "__main__":
    main()
