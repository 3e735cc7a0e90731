"""What a method would decide on the steps of a recorded run, as plain values for the page.

The method itself decides, so the page needs no second implementation of any. The page's own code
has the comparisons of the offload and the request alone, and is tested against this.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from trigreason.reasoning import Thresholds, Trace, methods, replay


def decisions_by(trace: Trace, method: str, thresholds: Thresholds) -> dict[str, Any]:
    """The decisions of ``method`` after each recorded step, whoever wrote it and why.

    ``decisions`` begins with the opening (step -1). What the models would have written after the
    first difference is unknown.

    Raises:
        ValueError: there is no such method, or it lacks what it needs (a risk model).
    """
    under = replace(trace, method=method)
    return {
        "method": method,
        "decisions": [each.to_json() for each in replay(under, thresholds)],
    }


def every_methods_decisions(trace: Trace) -> dict[str, Any]:
    """By method, the decisions of all methods under the trace's thresholds.

    A method that lacks what it needs is left out.
    """
    told: dict[str, Any] = {}
    for name, entry in methods().items():
        try:
            told[name] = decisions_by(trace, name, trace.thresholds) | {"title": entry.title}
        except ValueError:
            continue
    return told
