"""Names the arms of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trigreason.evaluation.arms import Arm
from trigreason.reasoning.methods import method_title, methods
from trigreason.reasoning.names import SYMBOLS


def arm_names(arms: Sequence[Arm]) -> dict[Arm, str]:
    """Each arm's name: its method and the settings that differ among arms of that method.

    The order is that of the registry of methods, each model alone first; methods that are not
    installed here come last.
    """
    names: dict[Arm, str] = {}
    for method in dict.fromkeys([*methods(), *(arm.method for arm in arms)]):
        same_method = [arm for arm in arms if arm.method == method]
        settings = differing([arm.to_args() for arm in same_method])
        pairs = zip(same_method, settings, strict=True)
        for arm, args in sorted(pairs, key=lambda pair: _sortable(pair[1])):
            shown = [f"{SYMBOLS.get(key, key)} {_shown(value)}" for key, value in args.items()]
            names[arm] = ", ".join([method_title(method), *shown])
    return names


def differing(settings: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each arm's settings without those that are the same for all arms."""
    keys = list(dict.fromkeys(key for arm in settings for key in arm))
    apart = [key for key in keys if any(arm.get(key) != settings[0].get(key) for arm in settings)]
    return [{key: arm.get(key) for key in apart} for arm in settings]


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
