"""What a comparison's logs are known by."""

from __future__ import annotations

from pathlib import Path

import pytest

from trigreason.configuration import bundled_pair
from trigreason.evaluation.answering import own_arm
from trigreason.evaluation.plan import Plan

PAIR = bundled_pair()


def settings(data: str) -> dict[str, object]:
    arms = (own_arm(PAIR),)
    return Plan(task="bbh", pair=PAIR, arms=arms, logs=Path("logs"), data=data).settings


def test_paths_are_absolute_and_the_hub_is_no_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("hub", "bbh"):
        (tmp_path / name).mkdir()
    assert settings("bbh") == {"seed": 0, "data": str(tmp_path / "bbh")}
    assert settings("hub") == {"seed": 0, "data": "hub"}, "although a folder is called so, too"
