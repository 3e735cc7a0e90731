"""What is to be compared, and by what its logs are known."""

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
"""The task whose options come in an order that can be chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be compared, on what, and where its logs are.

    Attributes:
        task: the task's name, such as ``aime24``.
        pair: the pair, by the name that it has in ``config`` (or the bundled one).
        arms: the methods with their settings; no two alike.
        logs: the folder of the logs; several comparisons can share it, one after the other.
        data: where the questions are, see ``load_questions``.
        groups: the groups of questions wanted; None for all of them.
        limit: how many questions, taken evenly from the groups; None for all of them.
        epochs: answers to each question.
        seed: of the whole comparison; see :func:`trigreason.evaluation.arms.seed_for`.
        connections: runs at once, over all arms; None for what suits the pair.
        config: the configuration file that names the pair; None for the usual ones.
        as_published: leave GPQA's right answers at (A), where they are published, as SpecReason's
            public script does; else the options are shuffled. Other tasks have no such choice.
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
        """The arguments of the Inspect task; paths absolute, so that any folder will do."""
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
        return [(each.id, epoch + 1) for each in questions for epoch in range(self.epochs)]

    def identity(self, arm: Arm) -> Identity:
        """By what the arm's logs are known."""
        return Identity(
            task=f"trigreason/{self.task}",
            settings=self.settings,
            model=f"trigreason/{self.pair.name}",
            args=self.arguments(arm),
            models=self.models,
        )

    def arguments(self, arm: Arm) -> dict[str, Any]:
        """The arguments of the Inspect model that is the arm."""
        if self.config is None or self.pair.is_bundled:
            return arm.to_args()
        return arm.to_args() | {CONFIGURATION: str(self.config.resolve())}

    @property
    def models(self) -> dict[str, str]:
        """The models that the pair's name stands for, wherever they are served.

        What the configuration leaves to the server is told apart by the engine's name. Nothing
        for the bundled pair.
        """
        return {
            str(author): str(engine.settings.model or engine.settings.file or engine.name)
            for author, engine in self.pair.engines.items()
        }
