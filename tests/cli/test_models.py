"""``trigreason models``, and presets where a pair is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import constants

from tests.cli.commands import Command
from trigreason.configuration import presets


@pytest.fixture(autouse=True)
def _empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("COLUMNS", "80")


def put_into_cache(cache: Path, repo: str, file: str) -> None:
    """As the hub's client lays a file down."""
    folder = cache / f"models--{repo.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("c0ffee", encoding="utf-8")
    (folder / "snapshots" / "c0ffee").mkdir(parents=True)
    (folder / "snapshots" / "c0ffee" / file).write_bytes(b"GGUF")


def test_all_presets_are_listed_in_80_columns(command: Command) -> None:
    done = command("models")
    assert done.code == 0
    assert all(name in done.out for name in presets())
    assert max(map(len, done.out.splitlines())) <= 80
    assert "to fetch" in done.out
    assert "cached" not in done.out


def test_what_is_cached_is_said(command: Command, tmp_path: Path) -> None:
    put_into_cache(tmp_path / "hub", "Qwen/Qwen3-0.6B-GGUF", "Qwen3-0.6B-Q8_0.gguf")
    told = command("models", "laptop", "--json").json
    assert (told["srm"]["where"], told["lrm"]["where"]) == ("cached", "to fetch")
    assert told["lrm"]["weights_bytes"] == 2_497_281_152
    assert "(cached)" in command("models", "laptop").out


def test_one_is_shown_with_the_commands_that_serve_it(command: Command) -> None:
    done = command("models", "r1-qwq")
    assert "as in the paper" in done.out
    assert "ρ = 0.85" in done.out
    lines = [line.strip() for line in done.out.splitlines()]
    preset = presets()["r1-qwq"]
    assert preset.lrm.serve in lines, "whole, so that it can be copied"
    assert preset.srm.serve in lines


def test_a_name_that_is_none_is_told(command: Command) -> None:
    command("models", "labtop").check_complaint(2, "did you mean laptop?")
    assert set(command("models", "--json").json) == set(presets())


@pytest.mark.parametrize(
    "arguments",
    [
        ("solve", "?"),
        ("demo",),
        ("serve", "--port", "0"),
        ("eval", "bundled"),
        ("calibrate", "--task", "bundled"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_preset_can_be_named_where_a_pair_can(
    command: Command, arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = command(*arguments, "--pair", "laptop")
    done.check_complaint(1, "hf:Qwen/Qwen3-0.6B-GGUF:Q8_0: is not in the cache")
    command(*arguments, "--pair", "labtop").check_complaint(2, "did you mean laptop?")


def test_a_key_is_looked_for_before_anything_is_fetched(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DEEPSEEK_API_KEY", raising=False)
    done = command("solve", "?", "--pair", "edge-cloud")
    done.check_complaint(1, "preset edge-cloud", "DEEPSEEK_API_KEY is not set")


def test_thresholds_of_a_preset_are_not_written_into_a_configuration(
    command: Command, tmp_path: Path
) -> None:
    file = tmp_path / "trigreason.toml"
    file.write_text("", encoding="utf-8")
    arguments = ("--task", "bundled", "--write", "--pair", "laptop", "--config", str(file))
    command("calibrate", *arguments).check_complaint(2, "laptop pair stands in no configuration")
