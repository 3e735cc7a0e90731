"""The tasks: what they are, and where they are published."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from trigreason.evaluation.questions import arc, gpqa, problems
from trigreason.evaluation.questions.bbh import BBH_TASKS, BUNDLED_FAMILIES
from trigreason.evaluation.questions.question import Question
from trigreason.evaluation.questions.rows import SourceRow


@dataclass(frozen=True, slots=True)
class PublishedTask:
    """A task's published form.

    Attributes:
        name: what it is called here.
        description: one line.
        hub: its data set on the Hugging Face hub.
        config: the data set's configuration; None if each of ``parts`` has its own.
        split: the data set's split.
        files: possible names of its file within a folder of data, the usual one first.
        read: makes the question of a row, of which it gets the number; None if there are ``parts``.
        parts: the names of its files without their ending, each a list of BBH's items; empty if it
            is one file.
        gated: whether the hub asks to accept terms first.
        shipped: whether its default questions come with this package.
    """

    name: str
    description: str
    hub: str
    config: str | None
    split: str
    files: tuple[str, ...]
    read: Callable[[SourceRow, int], Question] | None = None
    parts: tuple[str, ...] = ()
    gated: bool = False
    shipped: bool = False


_BBH = "SaylorTwift/bbh"
"""The 27 tasks as tables; the older ``lukaemon/bbh`` is a script, which ``datasets`` refuses."""
_BBH_FILES = ("bbh/{}.json", "{}.json", "BIG-Bench-Hard/bbh/{}.json")
_ARC = "ARC-Challenge/ARC-Challenge-Test.jsonl"

TASKS = {
    task.name: task
    for task in (
        PublishedTask(
            "aime24",
            "AIME 2024: 30 problems of mathematics, integer answers",
            hub="HuggingFaceH4/aime_2024",
            config="default",
            split="train",
            files=("aime24.jsonl", "aime_2024.jsonl", "aime2024.jsonl"),
            read=lambda row, _: problems.aime(row),
        ),
        PublishedTask(
            "aime25",
            "AIME 2025: 30 problems of mathematics, integer answers",
            hub="math-ai/aime25",
            config="default",
            split="test",
            files=("aime25.jsonl", "aime_2025.jsonl", "aime2025.jsonl"),
            read=lambda row, _: problems.aime(row),
        ),
        PublishedTask(
            "gsm8k",
            "GSM8K: 1,319 word problems of school mathematics, integer answers",
            hub="openai/gsm8k",
            config="main",
            split="test",
            files=("gsm8k_test.jsonl", "gsm8k.jsonl", "grade_school_math/data/test.jsonl"),
            read=problems.gsm8k,
        ),
        PublishedTask(
            "math500",
            "MATH-500: 500 problems of mathematics, answers in LaTeX",
            hub="HuggingFaceH4/MATH-500",
            config="default",
            split="test",
            files=("math500.jsonl", "math_500.jsonl", "MATH-500/test.jsonl"),
            read=problems.math500,
        ),
        PublishedTask(
            "gpqa_diamond",
            "GPQA Diamond: 198 graduate questions of science, four options",
            hub="Idavidrein/gpqa",
            config="gpqa_diamond",
            split="train",
            files=("gpqa_diamond.csv", "dataset/gpqa_diamond.csv", "gpqa/gpqa_diamond.csv"),
            read=lambda row, _: gpqa.question(row),
            gated=True,
        ),
        PublishedTask(
            "bbh",
            "BIG-Bench Hard: 27 tasks, 6,511 questions",
            hub=_BBH,
            config=None,
            split="test",
            files=_BBH_FILES,
            parts=BBH_TASKS,
        ),
        PublishedTask(
            "arc_challenge",
            "ARC-Challenge: 1,172 school questions of science, three to five options",
            hub="allenai/ai2_arc",
            config="ARC-Challenge",
            split="test",
            files=(
                "arc_challenge_test.jsonl",
                "ARC-Challenge-Test.jsonl",
                _ARC,
                f"ARC-V1-Feb2018-2/{_ARC}",
            ),
            read=lambda row, _: arc.question(row),
        ),
        PublishedTask(
            "bundled",
            "what the bundled pair was made for: 140 problems of 7 BBH tasks, which come along",
            hub=_BBH,
            config=None,
            split="test",
            files=_BBH_FILES,
            parts=BUNDLED_FAMILIES,
            shipped=True,
        ),
    )
}
"""All tasks by name. If data is named, ``bundled`` asks the published items, bare."""
