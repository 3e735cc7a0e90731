"""What an item of the paper is: its runs, their sizes, and the numbers that the paper gives.

One TOML file per item under ``items/`` (see ``catalogue``). ``[full]`` is the paper's own size,
``[quick]`` one that the bundled pair finishes in seconds; both are read as :class:`ItemSetting`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from trigreason.paper.measures import MEASURES
from trigreason.reasoning import Thresholds
from trigreason.reasoning.methods import method_title
from trigreason.reasoning.names import SYMBOLS

Kind = Literal[
    "plane", "methods", "sweep", "activation", "deployment", "judges", "rejections",
    "overconfidence", "hesitation",
]  # fmt: skip
"""What is made of the runs; see ``trigreason.paper.kinds``."""

MethodName = Literal["srm", "lrm", "specreason", "trigreason"]
_REAL = ("rho", "tau")

_STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
Text = Annotated[str, Field(min_length=1)]
Share = Annotated[float, Field(ge=0, le=1)]


def _thresholds(changes: dict[str, Any]) -> dict[str, Any]:
    Thresholds.from_json(changes)
    return changes


def _measure(name: str) -> str:
    if name not in MEASURES:
        raise ValueError(f"no measure is called {name!r}; there is {', '.join(MEASURES)}")
    return name


Changes = Annotated[dict[str, Any], AfterValidator(_thresholds)]
"""Thresholds that differ from the pair's own, by their names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedArm:
    """One arm of an item.

    ``changes`` are the thresholds that differ from the pair's own; ``thinking_tokens`` is the
    budget where it differs from the setting's; ``x`` is the value varied, in a sweep.
    """

    label: str
    method: str = "trigreason"
    changes: Mapping[str, Any] = field(default_factory=dict)
    thinking_tokens: int | None = None
    x: float | None = None


class Sweep(BaseModel):
    """One quantity varied, everything else fixed."""

    model_config = _STRICT

    of: Literal["rho", "tau", "n", "k", "m", "thinking_tokens"]
    values: Annotated[tuple[float, ...], Field(min_length=2)]
    methods: tuple[MethodName, ...] = ("trigreason",)

    def arms(self, base: Mapping[str, Any]) -> Iterator[PlannedArm]:
        for method in self.methods:
            for value in self.values:
                shown = f"{SYMBOLS.get(self.of, self.of)} = {value:,g}"
                label = f"{method_title(method)}, {shown}" if len(self.methods) > 1 else shown
                budget = int(value) if self.of == "thinking_tokens" else None
                varied: dict[str, Any] = (
                    {} if budget else {self.of: value if self.of in _REAL else int(value)}
                )
                yield PlannedArm(
                    label=label,
                    method=method,
                    changes={**base, **varied} if method == "trigreason" else {},
                    thinking_tokens=budget,
                    x=value,
                )


class Config(BaseModel):
    """A named set of thresholds."""

    model_config = _STRICT

    label: Text
    thresholds: Changes = Field(default_factory=dict)


class ItemSetting(BaseModel):
    """What is run, and how much of it.

    Attributes:
        tasks: names of tasks of ``trigreason.evaluation``.
        epochs: answers per question.
        limit: questions of each task; all of them where left out.
        thinking_tokens: the budget of thinking.
        answer_tokens: the budget of the answer; the pair's own where left out.
        thresholds: thresholds of all TrigReason arms, where they differ from the pair's own (the
            other methods read none of them); and what counts as overconfident, where steps are
            only looked at.
        methods: arms under these methods and thresholds.
        sweep: arms along one threshold, or along the budget.
        configs: arms under named thresholds.
        questions: how many questions a study picks out of the limit (see its kind).
        trajectories: how many answers per question a judge is asked about; all where left out.
        deployment: the preset under which recorded runs are timed and priced.
    """

    model_config = _STRICT

    tasks: Annotated[tuple[Text, ...], Field(min_length=1)]
    epochs: Annotated[int, Field(ge=1)]
    limit: Annotated[int, Field(ge=1)] | None = None
    thinking_tokens: Annotated[int, Field(ge=1)]
    answer_tokens: Annotated[int, Field(ge=1)] | None = None
    thresholds: Changes = Field(default_factory=dict)
    methods: tuple[MethodName, ...] = ()
    sweep: Sweep | None = None
    configs: tuple[Config, ...] = ()
    questions: Annotated[int, Field(ge=1)] | None = None
    trajectories: Annotated[int, Field(ge=1)] | None = None
    deployment: Text | None = None

    @model_validator(mode="after")
    def _has_arms(self) -> ItemSetting:
        arms = self.arms()
        if not arms:
            raise ValueError("has no arms; give methods, sweep or configs")
        labels = [each.label for each in arms]
        if len(set(labels)) < len(labels):
            raise ValueError(f"two arms are both called {max(labels, key=labels.count)!r}")
        for arm in arms:
            Thresholds.from_json(arm.changes)
        return self

    def arms(self) -> list[PlannedArm]:
        """All arms: methods first, then the sweep's, then the named ones."""
        arms = [
            PlannedArm(
                label=method_title(method),
                method=method,
                changes=self.thresholds if method == "trigreason" else {},
            )
            for method in self.methods
        ]
        if self.sweep:
            arms += self.sweep.arms(self.thresholds)
        arms += [
            PlannedArm(label=each.label, changes={**self.thresholds, **each.thresholds})
            for each in self.configs
        ]
        return arms


class PaperNumber(BaseModel):
    """A number that the paper's text gives: a value, or the ends of a range (one may be open)."""

    model_config = _STRICT

    task: Text
    arm: Text
    measure: Annotated[str, AfterValidator(_measure)]
    value: float | None = None
    low: float | None = None
    high: float | None = None
    x: float | None = None
    models: Text | None = None

    @model_validator(mode="after")
    def _a_value_or_a_range(self) -> PaperNumber:
        if (self.value is None) is (self.low is None and self.high is None):
            raise ValueError("needs either value, or low, high or both")
        return self


class Paper(BaseModel):
    """What the paper says: on which models, in which place, and its numbers."""

    model_config = _STRICT

    models: Text
    said: Text
    numbers: tuple[PaperNumber, ...] = ()


class Item(BaseModel):
    """One table or figure. ``id`` is the name of its file.

    ``about`` says what it shows, ``departs`` what this project does differently or had to choose
    because the paper does not say.
    """

    model_config = _STRICT

    id: Text
    title: Text
    section: Text
    kind: Kind
    about: Text
    departs: str = ""
    paper: Paper
    full: ItemSetting
    quick: ItemSetting

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Item:
        for name, setting in (("full", self.full), ("quick", self.quick)):
            if self.kind == "sweep" and setting.sweep is None:
                raise ValueError(f"{name}: a sweep varies something; give {name}.sweep")
            if self.kind == "deployment" and setting.deployment is None:
                raise ValueError(f"{name}: a deployment needs {name}.deployment")
        return self
