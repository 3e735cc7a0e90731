r"""The process in which math-verify compares: ``python -m`` this module.

It prints ``ready``, then ``true`` or ``false`` for each line of its input, a JSON list of the
wanted and the given expression. It ends when its input ends.
"""

from __future__ import annotations

import json
import logging
import sys

from math_verify import parse, verify  # type: ignore[import-untyped]  # it ships no types


def are_equal(wanted: str, given: str) -> bool:
    """Whether two LaTeX expressions are the same, without a time limit."""
    gold, answer = (parse(rf"\boxed{{{text}}}", parsing_timeout=None) for text in (wanted, given))
    return bool(verify(gold, answer, timeout_seconds=None))


def main() -> None:
    """Compare until the input ends."""
    # it warns that it has no time limit; the parent process has one
    logging.getLogger("math_verify").setLevel(logging.CRITICAL)
    print("ready", flush=True)
    for line in sys.stdin:
        try:
            equal = are_equal(*json.loads(line))
        except Exception:  # SymPy raises any error on text that is no mathematics
            equal = False
        print(json.dumps(equal), flush=True)


if __name__ == "__main__":
    main()
