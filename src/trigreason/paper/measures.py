"""The measures: their names, units and number formats."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure. A shown number is the stored one times ``scale``, in ``unit``.

    ``column`` is the heading of a narrow column, with the unit.
    """

    name: str
    column: str
    unit: str = "%"
    scale: float = 100.0
    digits: int = 1
    signed: bool = False

    @property
    def axis(self) -> str:
        """The label of an axis."""
        return f"{self.name} ({self.unit})"

    def shown(self, value: float) -> str:
        """The number without its unit."""
        sign = "+" if self.signed else ""
        return f"{value * self.scale:{sign}.{self.digits}f}"

    def as_printed(self, value: float) -> str:
        """A number of the paper, with the paper's digits (two at most)."""
        sign = "+" if self.signed else ""
        text = f"{round(value * self.scale, 6):{sign}.2f}"
        return text.rstrip("0").rstrip(".")


MEASURES = {
    "accuracy": Measure("accuracy, pass@1", "accuracy %"),
    "smt": Measure("SMT", "SMT %"),
    "smt_vs_specreason": Measure(
        "SMT against SpecReason", "times SpecReason's", "times", scale=1.0, digits=2
    ),
    "accuracy_vs_lrm": Measure("accuracy, share of LRM only", "of LRM's %"),
    "accuracy_minus_lrm": Measure(
        "accuracy against LRM only", "vs LRM, points", "points", signed=True
    ),
    "accuracy_change": Measure("accuracy, change", "change, points", "points", signed=True),
    "offload": Measure("steps by cognitive offload", "offload %"),
    "priming": Measure("steps by strategic priming", "priming %"),
    "request": Measure("steps by intervention request", "request %"),
    "repetition": Measure("steps by repetition", "repeats %"),
    "triggered": Measure("steps by any trigger", "any %"),
    "score": Measure("mean score of a step", "score, 0 to 9", "0 to 9", scale=1.0, digits=2),
    "rejected": Measure("rejected steps", "rejected %"),
    "seconds": Measure("seconds per answer", "seconds", "s", scale=1.0, digits=2),
    "usd": Measure("cost per 1,000 answers", "USD per 1,000", "USD", scale=1000.0, digits=3),
    "seconds_vs_lrm": Measure("latency against LRM only", "vs LRM %", signed=True),
    "usd_vs_lrm": Measure("cost against LRM only", "vs LRM %", signed=True),
    "seconds_vs_specreason": Measure("latency against SpecReason", "vs SpecReason %", signed=True),
    "usd_vs_specreason": Measure("cost against SpecReason", "vs SpecReason %", signed=True),
    "ratio": Measure("low-perplexity ratio r", "r %"),
    "overconfident_trajectories": Measure(
        "trajectories with an overconfident step", "with an overconfident step %"
    ),
    "overconfident_steps": Measure("overconfident steps", "overconfident %"),
}
"""All measures, by their names in the items' files. Shares are from 0 to 1, costs in USD."""
