"""The options of a reproduction: pairs, questions and sizes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from trigreason.configuration import PlannedEngine, PlannedPair, as_in_the_paper
from trigreason.evaluation.arms import Arm
from trigreason.paper.item import Item, ItemSetting, PlannedArm
from trigreason.reasoning import Author, Thresholds


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """The options that all items of one call share.

    Attributes:
        out: the folder for the results, with logs and judgements below it.
        pairs: the pairs; in the quick size the bundled one alone.
        quick: use the size for the bundled pair instead of the paper's.
        tasks: tasks instead of the item's.
        data: where the questions are; see ``load_questions``.
        limit: questions per task, instead of the item's number.
        epochs: answers per question, instead of the item's number.
        budget: tokens of thinking, instead of the item's (sweeps over budgets keep theirs).
        seed: the seed of all runs.
        connections: concurrent runs; None for the pair's default.
        judges: further engines that score the trajectory of Figure 2(a).
        measured: use recorded seconds and USD for Figures 2(c) and 2(d), not simulated ones.
        config: the configuration file that names the pairs.

    Raises:
        ValueError: the pairs do not fit the size.
    """

    out: Path
    pairs: tuple[PlannedPair, ...] = ()
    quick: bool = False
    tasks: tuple[str, ...] = ()
    data: str | None = None
    limit: int | None = None
    epochs: int | None = None
    budget: int | None = None
    seed: int = 0
    connections: int | None = None
    judges: tuple[PlannedEngine, ...] = ()
    measured: bool = False
    config: Path | None = None

    def __post_init__(self) -> None:
        if self.quick and any(not pair.is_bundled for pair in self.pairs):
            raise ValueError(
                "the quick size is made for the bundled pair; for another one leave out --quick "
                "and give --limit and --epochs"
            )
        if not self.quick and any(pair.is_bundled for pair in self.pairs) and not self.tasks:
            raise ValueError(
                "the bundled pair cannot do the paper's tasks; add --quick, or name a pair of "
                "your configuration with --pair"
            )
        if self.quick and self.tasks:
            raise ValueError("the quick size has its own task; leave out --quick or --task")
        names = [pair.name for pair in self.pairs]
        if len(set(names)) < len(names):
            raise ValueError("a pair is named twice")

    def setting(self, item: Item) -> ItemSetting:
        """The item's sizes with these options' changes."""
        options: dict[str, Any] = {
            "tasks": self.tasks or None,
            "limit": self.limit,
            "epochs": self.epochs,
            "thinking_tokens": self.budget,
        }
        changes = {name: value for name, value in options.items() if value is not None}
        base = item.quick if self.quick else item.full
        return base.model_copy(update=changes)


def arm_of(pair: PlannedPair, task: str, planned: PlannedArm, setting: ItemSetting) -> Arm:
    """The arm for this pair on a task: the paper's settings with the item's changes.

    The pair's own thresholds, sampling and budget are not used; ``trigreason eval`` uses them.

    Raises:
        ValueError: a threshold is out of range.
    """
    as_published = as_in_the_paper(pair, task).settings
    thresholds = as_published.thresholds.to_json() | dict(planned.changes)
    budget = replace(
        as_published.budget, thinking_tokens=planned.thinking_tokens or setting.thinking_tokens
    )
    if setting.answer_tokens:
        budget = replace(budget, answer_tokens=setting.answer_tokens)
    return Arm(
        method=planned.method,
        thresholds=Thresholds.from_json(thresholds),
        sampling=as_published.sampling,
        budget=budget,
    )


def described(pair: PlannedPair) -> Mapping[str, str]:
    """A pair's models, for the result's setup."""
    if pair.is_bundled:
        return {"srm": "bundled SRM (0.25 M parameters)", "lrm": "bundled LRM (1.3 M parameters)"}
    return {author.value: str(pair.engines[author].settings) for author in Author}
