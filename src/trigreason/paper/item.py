"""The schema of an item of the paper: its runs, their sizes, and the paper's numbers.

Each item is a TOML file in ``items/`` (see ``catalogue``). ``[full]`` is the paper's size,
``[quick]`` one that the bundled pair finishes in seconds; both are an :class:`ItemSetting`.
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
    "overconfidence", "hesitation", "overview", "cases", "certain steps",
]  # fmt: skip
"""How numbers are computed from the runs; see ``trigreason.paper.kinds``."""

TIMED = ("deployment", "overview")
"""The kinds that time or price recorded runs."""

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
        raise ValueError(f"no measure is called {name!r}; there are {', '.join(MEASURES)}")
    return name


Changes = Annotated[dict[str, Any], AfterValidator(_thresholds)]
"""The thresholds that differ from the paper's, by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedArm:
    """One arm of an item.

    ``changes`` are the thresholds that differ from the paper's; ``thinking_tokens`` is the budget
    if it differs from the setting's; ``x`` is the swept value.
    """

    label: str
    method: str = "trigreason"
    changes: Mapping[str, Any] = field(default_factory=dict)
    thinking_tokens: int | None = None
    x: float | None = None


class Sweep(BaseModel):
    """A sweep over one quantity; everything else is fixed."""

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
    """An item's runs and their number.

    Attributes:
        tasks: names of tasks of ``trigreason.evaluation``.
        epochs: answers per question.
        limit: questions per task; None for all.
        thinking_tokens: the budget of the thinking.
        answer_tokens: the budget of the answer; None for the pair's.
        thresholds: thresholds of all TrigReason arms that differ from the paper's (other methods
            ignore them); for the kinds ``overconfidence``, ``cases`` and ``certain steps``, the
            bounds of overconfident steps.
        methods: one arm per method, with these thresholds.
        sweep: one arm per value of a threshold or of the budget.
        configs: one arm per named set of thresholds.
        questions: how many questions of the limit the kind selects.
        trajectories: how many answers per question a judge scores; None for all.
        deployment: the preset that times and prices recorded runs.
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
        labels = [arm.label for arm in arms]
        if len(set(labels)) < len(labels):
            raise ValueError(f"two arms are both called {max(labels, key=labels.count)!r}")
        for arm in arms:
            Thresholds.from_json(arm.changes)
        return self

    def arms(self) -> list[PlannedArm]:
        """All arms: of the methods, then of the sweep, then of the configs."""
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
            PlannedArm(label=config.label, changes={**self.thresholds, **config.thresholds})
            for config in self.configs
        ]
        return arms


class PaperNumber(BaseModel):
    """A number in the paper: a value, or a range of which one end may be open."""

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
    """The paper's models, its statement (``said``), and its numbers."""

    model_config = _STRICT

    models: Text
    said: Text
    numbers: tuple[PaperNumber, ...] = ()


class Item(BaseModel):
    """One table or figure. ``id`` is its file's name.

    ``about`` says what it shows, ``departs`` what this project does differently, or had to choose
    because the paper does not specify it.
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
            if self.kind in TIMED and setting.deployment is None:
                raise ValueError(f"{name}: {self.kind} needs {name}.deployment")
        return self
