"""Small files in the forms in which the tasks are published."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

COLUMNS = ["Record ID", "High-level domain", "Question", "Correct Answer"]
COLUMNS += [f"Incorrect Answer {number}" for number in (1, 2, 3)]


def gpqa_file(folder: Path, count: int = 6, **changed: str) -> Path:
    """A table with GPQA's columns, quoted fields over several lines among them."""
    path = folder / "gpqa_diamond.csv"
    with path.open("w", newline="", encoding="utf-8-sig") as file:
        writer = csv.DictWriter(file, [*COLUMNS, "Subdomain"])
        writer.writeheader()
        for number in range(count):
            row = {
                "Record ID": f"rec{number}",
                "High-level domain": ("Physics", "Biology", "Physics")[number % 3],
                "Question": f'Which value, "{number}",\nis larger?\n\nThink.',
                "Correct Answer": f"right {number}\n",
                "Subdomain": "Optics",
            }
            row |= {f"Incorrect Answer {each}": f"wrong {number}.{each}" for each in (1, 2, 3)}
            writer.writerow(row | changed)
    return path


def arc_item(labels: str, key: str, name: str = "item") -> dict[str, Any]:
    choices = [{"text": f"option {label}", "label": label} for label in labels]
    return {"id": name, "question": {"stem": "Which?", "choices": choices}, "answerKey": key}


def lines(path: Path, *items: object) -> str:
    path.write_text("".join(f"{json.dumps(item)}\n" for item in items))
    return str(path)


def bbh_file(folder: Path, name: str, *examples: object) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.json"
    path.write_text(json.dumps({"canary": "x", "examples": examples}))
    return path
