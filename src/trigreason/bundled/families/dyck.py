"""dyck_languages: which brackets close what a sequence leaves open.

A stack restated per bracket would take too many tokens, so the chain labels every bracket with a
letter for its depth, ten brackets per step. The label follows from the one before: an opening
bracket after a closing one, or the other way round, repeats it; otherwise it is one deeper or one
less deep. What is still open is then the latest bracket of each label down from the last.
"""

import string

from trigreason.bundled.families.chains import Family, Solution, StateStep

_NAME = "dyck_languages"
CLOSING = {"(": ")", "[": "]", "{": "}", "<": ">"}
_BRACKETS = "".join(CLOSING) + "".join(CLOSING.values())
LABELS = string.ascii_lowercase
"""One label for each depth, from the outermost in."""
_PER_STEP = 10
TASK = (
    "Complete the rest of the sequence, making sure that the parentheses are closed properly. "
    "Input: "
)


def solve(question: str) -> Solution:
    """Label and close; raises ValueError for another format or a sequence not well nested."""
    brackets = question.removeprefix(TASK).split(" ")
    if not question.startswith(TASK) or not all(b and b in _BRACKETS for b in brackets):
        raise ValueError(f"not a {_NAME} question: {question[:80]!r}")
    unclosed: list[str] = []
    for bracket in brackets:
        if bracket in CLOSING:
            unclosed.append(bracket)
        elif not unclosed or CLOSING[unclosed.pop()] != bracket:
            raise ValueError(f"not well nested: {question!r}")
    depths = depths_of(brackets)
    if max(depths) >= len(LABELS) or not unclosed:
        raise ValueError(f"nested too deeply, or nothing left to close: {question!r}")
    labeled = [f"{b} {LABELS[depth]}" for b, depth in zip(brackets, depths, strict=True)]
    texts = [str(StateStep("Plan: label each bracket by its depth.", 0, "none"))]
    for start in range(0, len(labeled), _PER_STEP):
        texts.append(str(StateStep("", len(texts), " ".join(labeled[start : start + _PER_STEP]))))
    open_ones = [f"{LABELS[depth]} {b} {CLOSING[b]}" for depth, b in enumerate(unclosed)]
    texts.append(f"Left: {', '.join(reversed(open_ones))}.")
    return Solution(_NAME, question, " ".join(CLOSING[b] for b in reversed(unclosed)), tuple(texts))


def depths_of(brackets: list[str]) -> list[int]:
    """The depth of each bracket, from 0; a closing one has that of the bracket it closes."""
    depths, depth = [], 0
    for bracket in brackets:
        depth -= bracket not in CLOSING
        depths.append(depth)
        depth += bracket in CLOSING
    return depths


FAMILY = Family(_NAME, solve)
