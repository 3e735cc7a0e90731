"""Which steps are right or wrong, for the bundled families: they have just one right chain."""

from __future__ import annotations

from trigreason.bundled.families import FAMILIES
from trigreason.bundled.families.chains import Solution, read_state
from trigreason.evaluation.runs import Run
from trigreason.reasoning import StepEnd, StepRecord, Trace, find_hesitations


def checked_steps(run: Run) -> list[bool | None]:
    """Whether each step of the trace is right, in the trace's order; None for one without label.

    Steps are right as long as they follow the right chain, and the first that leaves it is wrong.
    Steps after an error have no label: a right step from a wrong state is neither right nor wrong.
    A hesitating step states nothing new, so it has no label, nor have the steps after it. A draft
    is judged as if it stood, and changes nothing for the steps after it.

    All labels are None where the question is of no bundled family, or where no step states a state
    as the families' chains do: another model's wording is no error.
    """
    labels: list[bool | None] = [None] * len(run.trace.steps)
    solution = _solution(run) if _goes_in_states(run.trace) else None
    if solution is None:
        return labels
    right_chain = solution.steps
    done = 0
    for index, step in enumerate(run.trace.steps):
        if not step.text.strip():
            continue
        if _says_nothing_new(step):
            if step.standing:
                break
            continue
        is_right = done < len(right_chain) and step.text.strip() == right_chain[done]
        labels[index] = is_right
        if step.standing:
            if not is_right:
                break
            done += 1
    return labels


def _says_nothing_new(step: StepRecord) -> bool:
    """Whether a step hesitates, or was cut off, so that only its beginning is known."""
    return step.end is StepEnd.CUT_OFF or bool(find_hesitations(step.text))


def _goes_in_states(trace: Trace) -> bool:
    return any(read_state(step.text.strip()) is not None for step in trace.standing)


def _solution(run: Run) -> Solution | None:
    """The question's solution, by the run's own family or else the first that can read it."""
    named = FAMILIES.get(run.group)
    for family in [named] if named else FAMILIES.values():
        try:
            return family.solve(run.question)
        except ValueError:
            continue
    return None
