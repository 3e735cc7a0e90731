"""Which logs count, and what is said of the others."""

from __future__ import annotations

from asyncio import CancelledError
from dataclasses import replace
from pathlib import Path

import pytest
from inspect_ai.log import EvalConfig, EvalDataset, EvalSpec

from trigreason.engines.base import EngineRefused
from trigreason.evaluation.kept import (
    MODELS,
    Identity,
    KeptLog,
    discard_superseded,
    done_in,
)
from trigreason.evaluation.logs import why_failed

IDENTITY = Identity(
    task="trigreason/bundled",
    settings={"seed": 0},
    model="trigreason/mine",
    args={"method": "srm"},
    models={"srm": "small", "lrm": "large"},
)


def header(**changes: object) -> EvalSpec:
    told: dict[str, object] = {
        "created": "2026-01-01T00:00:00+00:00",
        "task": "bundled",
        "task_registry_name": IDENTITY.task,
        "task_args_passed": dict(IDENTITY.settings),
        "dataset": EvalDataset(),
        "model": IDENTITY.model,
        "model_args": dict(IDENTITY.args),
        "config": EvalConfig(),
        "metadata": {MODELS: dict(IDENTITY.models)},
    }
    return EvalSpec.model_validate(told | changes)


@pytest.mark.parametrize(
    ("changes", "is_one"),
    [
        ({}, True),
        ({"task_registry_name": "trigreason/bbh"}, False),
        ({"task_args_passed": {"seed": 1}}, False),
        ({"task_args_passed": {"seed": 0, "data": "elsewhere"}}, False),
        ({"model": "trigreason/other"}, False),
        ({"model_args": {"method": "lrm"}}, False),
        ({"metadata": None}, True),
    ],
)
def test_a_log_belongs_to_an_arm_by_all_that_makes_the_arm(
    changes: dict[str, object], is_one: bool
) -> None:
    assert IDENTITY.is_of(header(**changes)) is is_one


def test_other_models_under_the_same_name_are_refused() -> None:
    path = Path("logs/one.eval")
    IDENTITY.check(header(), path)
    IDENTITY.check(header(metadata=None), path)
    other = replace(IDENTITY, models={"srm": "small", "lrm": "larger"})
    with pytest.raises(ValueError, match=r"one.eval is of .* other models .*LRM large\)"):
        other.check(header(), path)


def kept(path: Path, *done: int) -> KeptLog:
    path.touch()
    return KeptLog(path, frozenset((str(each), 1) for each in done), {})


def test_a_log_goes_when_the_last_one_has_all_of_it(tmp_path: Path) -> None:
    logs = [kept(tmp_path / "a", 1, 2), kept(tmp_path / "b", 5), kept(tmp_path / "c", 1, 2, 3)]
    assert done_in(logs) == {(str(each), 1) for each in (1, 2, 3, 5)}
    discard_superseded(logs)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "c"]
    discard_superseded([])


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("ValueError('no such thing')", "no such thing"),
        (repr(ValueError("it's gone")), "it's gone"),
        (repr(ValueError("status 400.\n  Ask less.")), "status 400. Ask less."),
        (
            repr(EngineRefused("status 400", "http://there", "Ask less.")),
            "http://there: status 400. Ask less.",
        ),
        ("KeyError('x',)", "x"),
        ("OSError(2, 'not there')", "(2, 'not there')"),
        ("plain words (with some in brackets)", "plain words (with some in brackets)"),
        ("Odd(unquoted words)", "Odd(unquoted words)"),
        ("", ""),
        (None, None),
        (repr(CancelledError()), None),
        (repr(CancelledError("Cancelled via cancel scope")), None),
        (repr(ValueError("CancelledError()")), "CancelledError()"),
    ],
)
def test_why_a_run_failed(written: str | None, said: str | None) -> None:
    """The end of the program is no failure of a run."""
    assert why_failed(written) == said
