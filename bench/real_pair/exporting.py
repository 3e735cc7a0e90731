"""The runs as lines of traces, which trigreason study, replay and calibrate read."""

from __future__ import annotations

import json
from pathlib import Path

from bench.real_pair.questions import Drawn, asked
from bench.real_pair.records import SETTINGS, Record, Records
from bench.real_pair.running import as_run, graded
from trigreason.evaluation.questions import Question
from trigreason.reasoning import trace_to_json


def write_traces(records: Records, drawn: Drawn, folder: Path) -> int:
    """Write a data set's runs, a file for each part and row; gives their number.

    A run is graded anew; one of another prompt is left out.
    """
    files: dict[str, list[str]] = {}
    questions = {each.id: each for each in (*drawn.calibration, *drawn.evaluation)}
    for record in records.runs(drawn.data.name):
        question = questions.get(record.question)
        if question is not None and asked(question) == record.asked:
            name = f"{drawn.data.name}-{record.part}-{record.setting}"
            files.setdefault(name, []).append(_line(records, record, question, drawn.data.name))
    for name, told in files.items():
        (folder / f"{name}.jsonl").write_text("".join(told), encoding="utf-8")
    return sum(map(len, files.values()))


def _line(records: Records, record: Record, question: Question, data: str) -> str:
    run = as_run(record, records.told(SETTINGS), data, question)
    told = {
        "task": data,
        "group": data,
        "sample": question.id,
        "target": question.target,
        "right": graded(question, run.trace).right,
        "row": record.row,
        "trace": trace_to_json(run.trace),
    }
    return json.dumps(told, ensure_ascii=False) + "\n"
