"""Every method by name: the project's own, and those of installed packages.

A package registers a method by an entry point of the group ``trigreason.methods`` that names a
:class:`MethodEntry`. The method's name is then accepted wherever a method can be chosen::

    [project.entry-points."trigreason.methods"]
    my_method = "my_package:ENTRY"
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib.metadata import entry_points

from trigreason.reasoning.methods.base import Method
from trigreason.reasoning.methods.baselines import Periodic, Planning, Random
from trigreason.reasoning.methods.learned import Learned
from trigreason.reasoning.methods.openings import (
    GlimpRouter,
    RelayGen,
    SpeculativeThinking,
    SplitReason,
)
from trigreason.reasoning.methods.rsd import Rsd
from trigreason.reasoning.methods.solo import Solo
from trigreason.reasoning.methods.specreason import SpecReason
from trigreason.reasoning.methods.steer import Steer
from trigreason.reasoning.methods.trigreason import TrigReason
from trigreason.reasoning.steps import Author
from trigreason.reasoning.thresholds import Thresholds
from trigreason.reasoning.triggers import (
    CognitiveOffload,
    InterventionRequest,
    JudgeRejection,
    RewardRejection,
    StrategicPriming,
)

ENTRY_POINTS = "trigreason.methods"
"""The group of the entry points by which packages register methods."""

ALWAYS = frozenset({"repeats"})
"""The thresholds that count under every method; see ``method_run``."""


@dataclass(frozen=True, slots=True)
class MethodEntry:
    """A method in the registry.

    Attributes:
        name: what it is called on the command line, in traces, settings and metrics.
        title: what it is called in tables and figures.
        make: builds the method from thresholds, all of which are in range.
        decides_by: the names of the thresholds that its decisions depend on, except ``repeats``.
            The others only affect what is recorded.

    Raises:
        ValueError: there is no such threshold.
    """

    name: str
    title: str
    make: Callable[[Thresholds], Method]
    decides_by: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        known = {field.name for field in fields(Thresholds)}
        if unknown := sorted(self.decides_by - known):
            raise ValueError(f"method {self.name}: there is no threshold {unknown[0]!r}")

    @property
    def thresholds(self) -> frozenset[str]:
        """The names of all thresholds that make a difference under this method."""
        return self.decides_by | ALWAYS


def _trigreason(given: Thresholds) -> Method:
    return TrigReason(
        priming=StrategicPriming(given.n),
        offload=CognitiveOffload(given.tau, given.rho, given.direction),
        request=InterventionRequest(given.k, given.m, given.expressions),
    )


def _specreason(given: Thresholds) -> Method:
    return SpecReason(
        rejection=JudgeRejection(given.accept),
        priming=StrategicPriming(given.judge_first),
        script_stop=given.script_stop,
    )


def _learned(given: Thresholds) -> Method:
    if given.risk_model is None:
        raise ValueError(
            "the method learned needs a risk model of the pair; "
            "trigreason calibrate LOGS --method learned --lrm-share SHARE fits one"
        )
    return Learned(model=given.risk_model, risk=given.risk)


BUILT_IN = (
    MethodEntry("srm", "SRM only", lambda _: Solo(author=Author.SRM)),
    MethodEntry("lrm", "LRM only", lambda _: Solo(author=Author.LRM)),
    MethodEntry("random", "Random", lambda given: Random(share=given.share), frozenset({"share"})),
    MethodEntry(
        "periodic",
        "Every n-th step",
        lambda given: Periodic(every=given.every),
        frozenset({"every"}),
    ),
    MethodEntry(
        "planning",
        "LRM first",
        lambda given: Planning(priming=StrategicPriming(given.n)),
        frozenset({"n"}),
    ),
    MethodEntry(
        "specreason",
        "SpecReason",
        _specreason,
        frozenset({"accept", "judge_first", "script_stop"}),
    ),
    MethodEntry(
        "rsd",
        "RSD",
        lambda given: Rsd(rejection=RewardRejection(given.delta)),
        frozenset({"delta"}),
    ),
    MethodEntry(
        "glimprouter",
        "GlimpRouter",
        lambda given: GlimpRouter(entropy=given.entropy),
        frozenset({"entropy"}),
    ),
    MethodEntry(
        "speculative_thinking",
        "Speculative Thinking",
        lambda given: SpeculativeThinking(m=given.m),
        frozenset({"m"}),
    ),
    MethodEntry(
        "splitreason",
        "SplitReason",
        lambda given: SplitReason(tag=given.tag, m=given.m),
        frozenset({"tag", "m"}),
    ),
    MethodEntry(
        "steer",
        "STEER",
        lambda given: Steer(confidence=given.confidence),
        frozenset({"confidence"}),
    ),
    MethodEntry(
        "relaygen", "RelayGen", lambda given: RelayGen(cues=given.cues), frozenset({"cues"})
    ),
    MethodEntry(
        "learned",
        "Learned",
        _learned,
        frozenset({"risk", "risk_model", "tau", "expressions"}),
    ),
    MethodEntry(
        "trigreason",
        "TrigReason",
        _trigreason,
        frozenset({"n", "tau", "rho", "direction", "k", "m", "expressions"}),
    ),
)
"""The project's own methods, in the order of tables and figures."""

PAPERS_METHODS = ("srm", "lrm", "specreason", "trigreason")
"""The methods that the paper compares."""


@cache
def methods() -> Mapping[str, MethodEntry]:
    """All methods by name: the project's own, then those of installed packages in their order.

    Raises:
        ValueError: an entry point names no method entry, or one whose name is taken.
    """
    entries = {entry.name: entry for entry in BUILT_IN}
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        try:
            entry = point.load()
        except Exception as error:  # a foreign package may fail in any way when it is imported
            raise ValueError(
                f"method {point.name} ({point.value}) does not load: {error}"
            ) from error
        if not isinstance(entry, MethodEntry):
            raise ValueError(f"method {point.name} ({point.value}) is no MethodEntry")
        if entry.name in entries:
            raise ValueError(
                f"two methods are called {entry.name!r}; uninstall one ({point.value})"
            )
        entries[entry.name] = entry
    return entries


def method_entry(name: str) -> MethodEntry:
    """The entry of the method called ``name``.

    Raises:
        ValueError: there is none.
    """
    entries = methods()
    if name not in entries:
        raise ValueError(f"no method is called {name!r}; there are {', '.join(entries)}")
    return entries[name]


def make_method(name: str, thresholds: Thresholds | None = None) -> Method:
    """The method called ``name`` under these thresholds.

    Raises:
        ValueError: there is no such method, or a threshold is out of range, even one that the
            method does not use.
    """
    thresholds = thresholds or Thresholds()
    thresholds.check()
    return method_entry(name).make(thresholds)


def used_thresholds(name: str, thresholds: Thresholds) -> Thresholds:
    """The thresholds that a run of this method records: a risk model only if it decides by it.

    Raises:
        ValueError: there is no such method.
    """
    is_used = "risk_model" in method_entry(name).decides_by
    return thresholds if is_used else replace(thresholds, risk_model=None)


def method_title(name: str) -> str:
    """What a method is called in tables and figures; its name if it is not installed."""
    entry = methods().get(name)
    return name if entry is None else entry.title
