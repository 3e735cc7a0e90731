"""Loading a task's questions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from typing import get_args

from trigreason import bundled
from trigreason.evaluation.questions import bbh, gpqa
from trigreason.evaluation.questions.hub import hub_rows
from trigreason.evaluation.questions.question import Question
from trigreason.evaluation.questions.rows import SourceRow, csv_rows, example_rows, jsonl_rows
from trigreason.evaluation.questions.tasks import TASKS, PublishedTask

HUB = "hub"


def is_from_hub(task: str, data: str | None) -> bool:
    """Whether a task's questions come from the Hugging Face hub, with this ``data``."""
    return data == HUB or (data is None and not TASKS[task].shipped)


def load_questions(
    task: str,
    data: str | None = None,
    *,
    limit: int | None = None,
    groups: Sequence[str] | None = None,
    seed: int = 0,
    gpqa_order: gpqa.GpqaOrder = "shuffled",
) -> list[Question]:
    """The questions of a task: its groups take turns, each in its published order.

    Args:
        task: one of :data:`TASKS`.
        data: a file in the published form, a folder that holds it, or ``"hub"``. The default
            is the hub, but for ``bundled`` the problems that come with the package.
        limit: how many questions at most, evenly from all groups since these take turns. A smaller
            limit gives the first questions of a larger one, with the same ids.
        groups: only these groups (tasks of BBH, fields of GPQA, subjects of MATH-500).
        seed: gives the order of GPQA's options in each question; nothing else changes it.
        gpqa_order: ``"as published"`` keeps GPQA's right answer at (A) in every question, as
            SpecReason's public script does; see :data:`~.gpqa.GpqaOrder`.

    Raises:
        ValueError: there is no such task, group or file, the hub does not give the data, or it
            has another form (the message says where, what was expected and what was found).
    """
    if task not in TASKS:
        raise ValueError(f"there is no task {task!r}; there are {', '.join(TASKS)}")
    if limit is not None and limit < 1:
        raise ValueError(f"a limit of {limit} leaves no question; it is at least 1")
    if gpqa_order not in get_args(gpqa.GpqaOrder):
        orders = " or ".join(get_args(gpqa.GpqaOrder))
        raise ValueError(f"there is no order {gpqa_order!r} of GPQA's options; it is {orders}")
    published = TASKS[task]
    if published.parts:
        _check_groups(published.name, published.parts, groups)
        wanted = [part for part in published.parts if groups is None or part in groups]
        questions = list(_bbh_items(published, data, wanted))
    else:
        rows = _rows(published, data)
        if task == "gpqa_diamond":
            questions = [gpqa.question(row, seed, gpqa_order) for row in rows]
        else:
            assert published.read is not None, f"{task} has neither parts nor a reader"
            questions = [published.read(row, number) for number, row in enumerate(rows, start=1)]
        _check_groups(task, sorted({question.group for question in questions} - {""}), groups)
        questions = [each for each in questions if groups is None or each.group in groups]
    _check_ids(questions, published, data)
    return _in_turns(questions)[:limit]


def _check_groups(task: str, existing: Sequence[str], groups: Sequence[str] | None) -> None:
    unknown = [group for group in groups or () if group not in existing]
    if unknown:
        choices = f"there are {', '.join(existing)}" if existing else "it has none"
        raise ValueError(f"{task} has no group {unknown[0]!r}; {choices}")


def _check_ids(questions: Sequence[Question], task: PublishedTask, data: str | None) -> None:
    source = data or task.hub
    if not questions:
        raise ValueError(f"{source} holds no questions of {task.name}")
    name, count = Counter(question.id for question in questions).most_common(1)[0]
    if count > 1:
        raise ValueError(f"{source}: {count} questions have the id {name!r}")


def _in_turns(questions: Iterable[Question]) -> list[Question]:
    groups: dict[str, list[Question]] = {}
    for question in questions:
        groups.setdefault(question.group, []).append(question)
    turns = chain.from_iterable(zip_longest(*groups.values()))
    return [question for question in turns if question is not None]


def _rows(task: PublishedTask, data: str | None) -> Iterator[SourceRow]:
    if is_from_hub(task.name, data):
        return hub_rows(task)
    assert data is not None, "only the hub is read without a place"
    file = _file(task, data)
    return csv_rows(file) if task.files[0].endswith(".csv") else jsonl_rows(file)


def _file(task: PublishedTask, data: str) -> Path:
    place = _existing(data)
    if place.is_file():
        return place
    file = _first(place, task.files)
    if file is None:
        raise ValueError(f"{place} holds no data of {task.name}: no {' or '.join(task.files)}")
    return file


def _bbh_items(task: PublishedTask, data: str | None, wanted: Sequence[str]) -> Iterator[Question]:
    """The questions of BBH or ``bundled`` part by part; those of ``bundled`` are bare."""
    if data is None and task.shipped:
        yield from _shipped(wanted)
        return
    from_hub = is_from_hub(task.name, data)
    files = {} if from_hub else _files(task, str(data), wanted)
    for part in wanted if from_hub else files:
        rows = hub_rows(task, part) if from_hub else example_rows(files[part])
        for number, row in enumerate(rows):
            yield bbh.question(row, part, number, bare=task.name == "bundled")


def _files(task: PublishedTask, data: str, wanted: Sequence[str]) -> dict[str, Path]:
    """The file of each part; if ``data`` is a file, it is the part that has its name."""
    place = _existing(data)
    if place.is_file():
        if place.stem not in wanted:
            raise ValueError(
                f"{place} is called after none of these parts of {task.name}: {', '.join(wanted)}"
            )
        return {place.stem: place}
    by_part = {part: _first(place, [name.format(part) for name in task.files]) for part in wanted}
    missing = [part for part, file in by_part.items() if file is None]
    if missing:
        raise ValueError(
            f"{place} lacks {len(missing)} of {len(wanted)} files of {task.name}: no "
            f"{missing[0]}.json, there or in bbh/; to do without, name the groups that are there"
        )
    return {part: file for part, file in by_part.items() if file is not None}


def _first(folder: Path, names: Iterable[str]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _existing(data: str) -> Path:
    place = Path(data).expanduser()
    if not place.exists():
        raise ValueError(f"there is no file or folder {data}; 'hub' names the Hugging Face hub")
    return place


def _shipped(wanted: Sequence[str]) -> Iterator[Question]:
    numbers: Counter[str] = Counter()
    for family, question, target in bundled.problems():
        if family in wanted:
            row = SourceRow({"input": question, "target": target}, "the bundled problems")
            yield bbh.question(row, family, numbers[family], bare=True)
        numbers[family] += 1
