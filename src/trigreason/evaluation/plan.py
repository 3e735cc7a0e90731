"""The plan of a comparison, and what identifies its logs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trigreason.configuration import PlannedPair
from trigreason.evaluation.answering import CONFIGURATION
from trigreason.evaluation.arms import Arm
from trigreason.evaluation.kept import Identity, Key
from trigreason.evaluation.questions import GpqaOrder, load_questions
from trigreason.evaluation.questions.loading import HUB

GPQA = "gpqa_diamond"
"""The task for which the order of the options can be chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which arms to compare on which questions, and where the logs are.

    Attributes:
        task: the task's name, such as ``aime24``.
        pair: the pair that ``config`` names, or the bundled one.
        arms: the methods with their settings; no two alike.
        logs: the folder of the logs; several comparisons can share it, one after the other.
        data: where the questions are, see ``load_questions``.
        groups: the groups of questions wanted; None for all of them.
        limit: how many questions, taken evenly from the groups; None for all of them.
        epochs: answers to each question.
        seed: the seed of the whole comparison; see :func:`trigreason.evaluation.arms.seed_for`.
        connections: runs at once, over all arms; None for the pair's default.
        config: the configuration file that names the pair; None for the usual ones.
        as_published: keep GPQA's right answers at (A), as published and as in SpecReason's public
            script; else the options are shuffled. Only GPQA has this choice.
    """

    task: str
    pair: PlannedPair
    arms: tuple[Arm, ...]
    logs: Path
    data: str | None = None
    groups: tuple[str, ...] | None = None
    limit: int | None = None
    epochs: int = 1
    seed: int = 0
    connections: int | None = None
    config: Path | None = None
    as_published: bool = False

    def __post_init__(self) -> None:
        if not self.arms or len(set(self.arms)) < len(self.arms):
            raise ValueError("a comparison needs one arm or more, no two of them alike")
        if self.epochs < 1:
            raise ValueError(f"a comparison needs one epoch or more, not {self.epochs}")
        if self.as_published and self.task != GPQA:
            raise ValueError(f"the order of options can be chosen for {GPQA} alone")

    @property
    def settings(self) -> dict[str, Any]:
        """The arguments of the Inspect task; paths are absolute, so any working folder will do."""
        given: dict[str, Any] = {"seed": self.seed}
        if self.data is not None:
            place = Path(self.data).expanduser()
            given["data"] = (
                str(place.resolve()) if self.data != HUB and place.exists() else self.data
            )
        if self.groups is not None:
            given["groups"] = list(self.groups)
        if self.as_published:
            given["order"] = self.gpqa_order
        return given

    @property
    def gpqa_order(self) -> GpqaOrder:
        return "as published" if self.as_published else "shuffled"

    def wanted(self) -> list[Key]:
        """All runs of one arm, by question and epoch.

        Raises:
            ValueError: see ``load_questions``.
        """
        questions = load_questions(
            self.task,
            self.data,
            limit=self.limit,
            groups=self.groups,
            seed=self.seed,
            gpqa_order=self.gpqa_order,
        )
        return [(question.id, epoch + 1) for question in questions for epoch in range(self.epochs)]

    def identity(self, arm: Arm) -> Identity:
        """What identifies the arm's logs."""
        return Identity(
            task=f"trigreason/{self.task}",
            settings=self.settings,
            model=f"trigreason/{self.pair.name}",
            args=self.arguments(arm),
            models=self.models,
        )

    def arguments(self, arm: Arm) -> dict[str, Any]:
        """The arguments of the arm's Inspect model."""
        if self.config is None or self.pair.is_bundled:
            return arm.to_args()
        return arm.to_args() | {CONFIGURATION: str(self.config.resolve())}

    @property
    def models(self) -> dict[str, str]:
        """The pair's models by author, wherever they are served; empty for the bundled pair.

        If the configuration leaves the model to the server, the engine's name identifies it.
        """
        return {
            str(author): str(engine.settings.model or engine.settings.file or engine.name)
            for author, engine in self.pair.engines.items()
        }
