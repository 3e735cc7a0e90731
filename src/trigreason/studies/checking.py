"""Steps of the bundled families told right or wrong: for them there is just one right chain."""

from __future__ import annotations

from trigreason.bundled.families import FAMILIES
from trigreason.bundled.families.chains import Solution, read_state
from trigreason.evaluation.runs import Run
from trigreason.reasoning import StepEnd, StepRecord, Trace, find_hesitations


def checked_steps(run: Run) -> list[bool | None]:
    """Whether each step of the trace is right, in the trace's order; None where nothing tells.

    Steps are right up to the first that is not the right chain's, and that one is wrong. What
    follows an error has no label: a right step from a wrong state is neither. Neither have a
    hesitating step, which states nothing new, and what follows it. A draft is judged as what it
    would have been in its place, and changes nothing for the steps after it.

    All labels are None where the question is of no bundled family, or where the thinking does not
    go in states as the chains of the families do: another model's words are not wrong.
    """
    labels: list[bool | None] = [None] * len(run.trace.steps)
    solution = _solution(run) if _goes_in_states(run.trace) else None
    if solution is None:
        return labels
    right_chain = solution.steps
    come_to = 0
    for index, step in enumerate(run.trace.steps):
        if not step.text.strip():
            continue
        if _says_nothing_new(step):
            if step.standing:
                break
            continue
        is_right = come_to < len(right_chain) and step.text.strip() == right_chain[come_to]
        labels[index] = is_right
        if step.standing:
            if not is_right:
                break
            come_to += 1
    return labels


def _says_nothing_new(step: StepRecord) -> bool:
    """A step that hesitates, or of which only the beginning is known."""
    return step.end is StepEnd.CUT_OFF or bool(find_hesitations(step.text))


def _goes_in_states(trace: Trace) -> bool:
    return any(read_state(step.text.strip()) is not None for step in trace.standing)


def _solution(run: Run) -> Solution | None:
    """The solution by the run's own family if it is one, else by the first that reads it."""
    named = FAMILIES.get(run.group)
    for family in [named] if named else FAMILIES.values():
        try:
            return family.solve(run.question)
        except ValueError:
            continue
    return None
