"""The runs of ``bench.real_pair``: which there are to be, asked once, and kept in small files.

A file per data set holds one JSON object per line. A run is known by its row, its question and a
digest of all that it was asked under, so a changed setting is another run, never the same one. The
question's text is not kept; it is filled in again from the data.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from trigreason.budget import Budget
from trigreason.engines.base import Sampling
from trigreason.evaluation.questions import Question, load_questions
from trigreason.pairs import Pair
from trigreason.reasoner import completed, reason
from trigreason.reasoning import Author, Message, Thresholds, Trace, trace_from_json, trace_to_json
from trigreason.studies.runs import Run

SMALL, LARGE = (f"qwen2.5-coder-{size}b-instruct-q4_k_m.gguf" for size in ("0.5", "1.5"))
BUDGET = Budget(thinking_tokens=768, answer_tokens=64)
GREEDY = Sampling(temperature=0.0, top_p=1.0)
CALIBRATED = "TrigReason, calibrated"
CALIBRATION = "calibration: SRM only"
LRM_ONLY = "LRM only"


class DataSet(NamedTuple):
    """Questions of a task: ``size`` of them are evaluated, ``others`` are for calibration."""

    name: str
    task: str
    group: str | None
    size: int
    others: int


DATA_SETS = (
    DataSet("gsm8k", "gsm8k", None, 150, 24),
    DataSet("arc_challenge", "arc_challenge", None, 100, 24),
    DataSet("object_counting", "bbh", "object_counting", 50, 16),
    DataSet("colored_objects", "bbh", "reasoning_about_colored_objects", 50, 16),
)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: a method under some thresholds."""

    name: str
    method: str
    thresholds: Thresholds

    def digest(self) -> str:
        """Of everything but the question that a run is asked under."""
        told = [self.method, self.thresholds.to_json(), asdict(BUDGET), asdict(GREEDY)]
        return hashlib.sha256(json.dumps([*told, SMALL, LARGE]).encode()).hexdigest()[:12]


ALONE = Row(CALIBRATION, "srm", Thresholds())


def fixed_rows() -> list[Row]:
    """The rows that need no calibration.

    These chains have about six steps, where the paper's have a hundred: n = 20 would leave nothing
    to the SRM, so one step is primed.
    """
    paper = Thresholds(n=1)
    return [
        Row("SRM only", "srm", paper),
        Row(LRM_ONLY, "lrm", paper),
        Row("SpecReason", "specreason", paper),
        Row("TrigReason, the paper's with n = 1", "trigreason", paper),
    ]


def questions_of(data: DataSet, folder: Path) -> tuple[list[Question], list[Question]]:
    """The questions to evaluate and, none of them among those, the ones to calibrate on."""
    groups = [data.group] if data.group else None
    every = load_questions(data.task, str(folder), groups=groups)
    drawn = random.Random(0).sample(every, data.size + data.others)
    return drawn[: data.size], drawn[data.size :]


class Results:
    """The runs of one data set on disk."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lines: dict[tuple[str, str, str], dict[str, Any]] = {}
        for line in file.read_text("utf-8").splitlines() if file.exists() else ():
            try:
                values = json.loads(line)
            except ValueError:
                continue  # cut off where the benchmark was killed; it is asked again
            self._lines[values["row"], values["digest"], values["question"]] = values

    def has(self, row: Row, question: Question) -> bool:
        return (row.name, row.digest(), question.id) in self._lines

    def add(self, row: Row, question: Question, trace: Trace) -> None:
        key = {"row": row.name, "digest": row.digest(), "question": question.id}
        values = key | {"trace": _packed(trace)}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        begins_anew = self._file.exists() and self._file.read_bytes()[-1:] not in (b"", b"\n")
        with self._file.open("a", encoding="utf-8") as file:
            text = json.dumps(values, ensure_ascii=False, separators=(",", ":"))
            file.write("\n" * begins_anew + text + "\n")
        self._lines[row.name, row.digest(), question.id] = values

    def runs(self, row: Row, questions: Sequence[Question], data: DataSet) -> list[Run]:
        """The runs of a row that there are, graded, in the questions' order."""
        return [
            _run(self._lines[row.name, row.digest(), each.id]["trace"], each, data)
            for each in questions
            if self.has(row, each)
        ]


async def ask(pair: Pair, row: Row, question: Question) -> Trace:
    """One run."""
    events = reason(
        pair,
        question.prompt,
        row.method,
        thresholds=row.thresholds,
        sampling=GREEDY,
        budget=BUDGET,
    )
    return await completed(events)


def in_turns(data_sets: Mapping[int, Sequence[Question]]) -> Iterator[tuple[int, Question]]:
    """Questions of several data sets, each as far along as the others at any time."""
    places = [
        (place / len(questions), index, question)
        for index, questions in data_sets.items()
        for place, question in enumerate(questions)
    ]
    for _, index, question in sorted(places, key=lambda each: each[:2]):
        yield index, question


def _run(packed: dict[str, Any], question: Question, data: DataSet) -> Run:
    trace = _unpacked(packed, question)
    return Run(
        trace=trace,
        task=data.task,
        group=data.name,
        sample=question.id,
        target=question.target,
        right=is_right(trace, question),
        pair="qwen2.5-coder",
    )


def is_right(trace: Trace, question: Question) -> bool:
    """Whether the whole text gives the wanted answer."""
    from trigreason.evaluation.grading import grade

    return grade(question.kind, trace.reply, question.target, question.letters).right


_DIGITS = 3


def _packed(trace: Trace) -> dict[str, Any]:
    """A trace without what follows from it, with probabilities as whole thousandths of a nat."""
    values = trace_to_json(trace)
    for name in ("messages", "totals", "fingerprint", "prices"):
        del values[name]
    for step in values["steps"]:
        step["logprobs"] = [
            None if each is None else round(-1000 * each) for each in step["logprobs"]
        ]
    for entry in (*values["steps"], *values["stretches"]):
        for name, value in list(entry.items()):
            if isinstance(value, float):
                entry[name] = round(value, _DIGITS)
    return values


def _unpacked(packed: dict[str, Any], question: Question) -> Trace:
    steps = [
        step | {"logprobs": [None if each is None else each / -1000 for each in step["logprobs"]]}
        for step in packed["steps"]
    ]
    message = Message("user", question.prompt)._asdict()
    return trace_from_json(packed | {"steps": steps, "messages": [message], "prices": {}})


def tokens_written(trace: Trace, author: Author) -> int:
    return trace.use(author).completion_tokens


def tokens_read(trace: Trace, author: Author) -> int:
    """Prompt tokens that were not in the cache."""
    own = [each for each in trace.stretches if each.author is author]
    return sum((each.prompt_tokens or 0) - (each.cached_tokens or 0) for each in own)
