"""The tasks for Inspect: ``inspect eval trigreason/aime24 --model trigreason/PAIR``.

``-T data=`` is a file or folder of questions, ``-T seed=`` the seed that every answer's seed is
derived from, ``-T limit=`` the number of questions (evenly from all groups).
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
    """Ask once, with a different seed for every question and epoch.

    The trace moves into the sample's metadata. The output and the call's event share a copy of it,
    which is removed, because a long trace is most of a log.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        answer_seed = seed_for(seed, str(state.sample_id), state.epoch)
        state = await generate(state, seed=answer_seed)
        metadata = state.output.metadata or {}
        if TRACE in metadata:
            state.metadata[RUN] = metadata[RUN]
            state.metadata[TRACE] = metadata.pop(TRACE)
        return state

    return solve


@task
def aime24(data: str | None = None, limit: int | None = None, seed: int = 0) -> Task:
    """AIME 2024: 30 problems with integer answers."""
    return _task("aime24", data, limit, seed)


@task
def aime25(data: str | None = None, limit: int | None = None, seed: int = 0) -> Task:
    """AIME 2025: 30 problems with integer answers."""
    return _task("aime25", data, limit, seed)


@task
def gsm8k(data: str | None = None, limit: int | None = None, seed: int = 0) -> Task:
    """GSM8K: 1,319 word problems of school mathematics with integer answers."""
    return _task("gsm8k", data, limit, seed)


@task
def math500(
    data: str | None = None,
    limit: int | None = None,
    seed: int = 0,
    groups: str | list[str] | None = None,
) -> Task:
    """MATH-500: 500 problems of mathematics; ``groups`` are subjects, if the data names them."""
    return _task("math500", data, limit, seed, groups)


@task
def gpqa_diamond(
    data: str | None = None,
    limit: int | None = None,
    seed: int = 0,
    groups: str | list[str] | None = None,
    order: GpqaOrder = "shuffled",
) -> Task:
    """GPQA Diamond: 198 questions of three sciences; ``order`` is the order of the options."""
    return _task("gpqa_diamond", data, limit, seed, groups, order)


@task
def bbh(
    data: str | None = None,
    limit: int | None = None,
    seed: int = 0,
    groups: str | list[str] | None = None,
) -> Task:
    """BIG-Bench Hard: ``groups`` are the wanted ones of its 27 tasks."""
    return _task("bbh", data, limit, seed, groups)


@task
def arc_challenge(data: str | None = None, limit: int | None = None, seed: int = 0) -> Task:
    """ARC-Challenge: school questions with three to five options."""
    return _task("arc_challenge", data, limit, seed)


@task
def bundled(
    data: str | None = None,
    limit: int | None = None,
    seed: int = 0,
    groups: str | list[str] | None = None,
) -> Task:
    """The families that the bundled pair was made for: its own problems, or published ones."""
    return _task("bundled", data, limit, seed, groups)


def _task(
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
        dataset=MemoryDataset([_sample_of(question) for question in questions], name=name),
        solver=answer(seed),
        scorer=[right(), work()],
        name=name,
    )


def _sample_of(question: Question) -> Sample:
    """The question, and what is needed to grade its answer."""
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
