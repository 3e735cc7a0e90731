"""What the arms of a comparison are called."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trigreason.evaluation.arms import Arm
from trigreason.reasoning.methods import method_title, methods
from trigreason.reasoning.names import SYMBOLS


def arm_names(arms: Sequence[Arm]) -> dict[Arm, str]:
    """Each arm's method, and in what it differs from other arms of the same method.

    They come in the registry's order, each model alone first; methods that are not installed here
    come last.
    """
    names: dict[Arm, str] = {}
    for method in dict.fromkeys([*methods(), *(arm.method for arm in arms)]):
        own = [arm for arm in arms if arm.method == method]
        told = differing([arm.to_args() for arm in own])
        for arm, args in sorted(zip(own, told, strict=True), key=lambda each: _sortable(each[1])):
            settings = [f"{SYMBOLS.get(key, key)} {_shown(value)}" for key, value in args.items()]
            names[arm] = ", ".join([method_title(method), *settings])
    return names


def differing(settings: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of each set of settings, those that are not the same in all of them."""
    keys = list(dict.fromkeys(key for each in settings for key in each))
    apart = [key for key in keys if any(each.get(key) != settings[0].get(key) for each in settings)]
    return [{key: each.get(key) for key in apart} for each in settings]


def _sortable(args: dict[str, Any]) -> list[tuple[float, str]]:
    return [
        (float(value) if isinstance(value, int | float) else 0.0, str(value))
        for value in args.values()
    ]


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return f"{len(value)} of them"
    return "default" if value is None else str(value)
