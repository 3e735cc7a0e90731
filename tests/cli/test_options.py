"""Flags that set the fields of dataclasses: all of them are there, and of their fields' types."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any, get_type_hints

import pytest

from trigreason.budget import Budget
from trigreason.cli.eval import evaluate
from trigreason.cli.solve import solve
from trigreason.engines.base import Sampling
from trigreason.reasoning import Thresholds


@pytest.mark.parametrize("command", [solve, evaluate])
def test_every_threshold_is_a_flag(command: Callable[..., None]) -> None:
    named = {each.name for each in fields(Thresholds)} - {"risk_model"}  # it is no one value
    assert named <= set(get_type_hints(command))


@pytest.mark.parametrize("kind", [Thresholds, Sampling, Budget])
def test_flags_take_what_their_fields_hold(kind: type[Any]) -> None:
    flags, own = get_type_hints(solve), get_type_hints(kind)
    named = set(flags) & set(own) - {"expressions", "cues"}  # several strings, made tuples
    assert named
    assert {name: flags[name] for name in named} == {name: own[name] | None for name in named}
