"""The tasks for Inspect: ``inspect eval trigreason/aime24 --model trigreason/PAIR``.

``-T data=`` names a file or folder of questions, ``-T seed=`` the seed that every answer's own
seed comes from, ``-T limit=`` how many questions (evenly from all groups).
"""

from __future__ import annotations

from inspect_ai import Task, task
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.solver import Generate, Solver, TaskState, solver

from trigreason.evaluation.arms import seed_for
from trigreason.evaluation.outputs import RUN, TRACE
from trigreason.evaluation.questions import GpqaOrder, Question, load_questions
from trigreason.evaluation.work import GROUP, right, work


@solver
def answer(seed: int = 0) -> Solver:
    """Ask once, with a seed of its own for every question and epoch.

    The trace goes into the sample's metadata. Inspect has it in the output and in the event of the
    call, which share it: it is taken out of both, for a long one is most of a log.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        own = seed_for(seed, str(state.sample_id), state.epoch)
        state = await generate(state, seed=own)
        told = state.output.metadata or {}
        if TRACE in told:
            state.metadata[RUN] = told[RUN]
            state.metadata[TRACE] = told.pop(TRACE)
        return state

    return solve


@task
def aime24(data: str | None = None, limit: int | None = None, seed: int = 0) -> Task:
    """AIME 2024: 30 problems with integer answers."""
    return _asked("aime24", data, limit, seed)


@task
def aime25(data: str | None = None, limit: int | None = None, seed: int = 0) -> Task:
    """AIME 2025: 30 problems with integer answers."""
    return _asked("aime25", data, limit, seed)


@task
def gsm8k(data: str | None = None, limit: int | None = None, seed: int = 0) -> Task:
    """GSM8K: 1,319 word problems of school mathematics with integer answers."""
    return _asked("gsm8k", data, limit, seed)


@task
def math500(
    data: str | None = None,
    limit: int | None = None,
    seed: int = 0,
    groups: str | list[str] | None = None,
) -> Task:
    """MATH-500: 500 problems of mathematics; ``groups`` are subjects, where the data tells them."""
    return _asked("math500", data, limit, seed, groups)


@task
def gpqa_diamond(
    data: str | None = None,
    limit: int | None = None,
    seed: int = 0,
    groups: str | list[str] | None = None,
    order: GpqaOrder = "shuffled",
) -> Task:
    """GPQA Diamond: 198 questions of three sciences; ``order`` is that of the options."""
    return _asked("gpqa_diamond", data, limit, seed, groups, order)


@task
def bbh(
    data: str | None = None,
    limit: int | None = None,
    seed: int = 0,
    groups: str | list[str] | None = None,
) -> Task:
    """BIG-Bench Hard: ``groups`` are those of its 27 tasks that are wanted."""
    return _asked("bbh", data, limit, seed, groups)


@task
def arc_challenge(data: str | None = None, limit: int | None = None, seed: int = 0) -> Task:
    """ARC-Challenge: school questions with three to five options."""
    return _asked("arc_challenge", data, limit, seed)


@task
def bundled(
    data: str | None = None,
    limit: int | None = None,
    seed: int = 0,
    groups: str | list[str] | None = None,
) -> Task:
    """The families that the bundled pair was made for: its own problems, or published ones."""
    return _asked("bundled", data, limit, seed, groups)


def _asked(
    name: str,
    data: str | None,
    limit: int | None,
    seed: int,
    groups: str | list[str] | None = None,
    order: GpqaOrder = "shuffled",
) -> Task:
    wanted = [groups] if isinstance(groups, str) else groups
    try:
        questions = load_questions(
            name, data, limit=limit, groups=wanted, seed=seed, gpqa_order=order
        )
    except ValueError as error:
        raise PrerequisiteError(f"{name}: {error}") from error
    return Task(
        dataset=MemoryDataset([_sample_of(each) for each in questions], name=name),
        solver=answer(seed),
        scorer=[right(), work()],
        name=name,
    )


def _sample_of(question: Question) -> Sample:
    """The question, and what its answer is graded by."""
    return Sample(
        id=question.id,
        input=question.prompt,
        target=question.target,
        metadata={
            GROUP: question.group,
            "kind": question.kind.value,
            "letters": list(question.letters),
        },
    )
