"""Documentation of the fields that users set: one annotation serves both flags and requests."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, get_args, get_type_hints


@dataclass(frozen=True, slots=True)
class Bounds:
    """The finite numbers from ``least`` to ``most``, both included; None means no upper end."""

    least: float
    most: float | None = None

    def check(self, what: str, value: float) -> None:
        """Raises ValueError if ``value``, which the message calls ``what``, is out of bounds."""
        if self.most is not None:
            if not self.least <= value <= self.most:
                raise ValueError(
                    f"{what} must lie between {self.least} and {self.most}, not {value}"
                )
        elif not self.least <= value < math.inf:
            finite = ", and finite" if isinstance(value, float) else ""
            raise ValueError(f"{what} must be {self.least} or more{finite}, not {value}")


@dataclass(frozen=True, slots=True)
class FieldDoc:
    """What a field does, where its default comes from, what it counts, and its bounds.

    In ``text`` and ``origin``, ``{}`` is replaced by the default.
    """

    text: str
    origin: str = "Default: {}."
    unit: str | None = None
    bounds: Bounds | None = None


def field_doc(kind: type[Any], name: str) -> FieldDoc:
    """The documentation of a dataclass's field, with its default filled in."""
    annotations = get_args(get_type_hints(kind, include_extras=True)[name])
    doc = next(each for each in annotations if isinstance(each, FieldDoc))
    default = getattr(kind(), name)
    return replace(doc, text=doc.text.format(default), origin=doc.origin.format(default))
