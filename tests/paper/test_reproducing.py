"""What the page on reproducing the paper tells people to type can be typed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from trigreason.configuration import Configuration, read_configuration
from trigreason.paper.item_files import catalogue

pytestmark = pytest.mark.slow

PAGE = (Path(__file__).parents[2] / "docs" / "reproducing.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"trigreason paper (?:run|all)[^`\n#]*", PAGE)


def configured(folder: Path) -> Configuration:
    [text] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    file = folder / "trigreason.toml"
    file.write_text(text)
    return read_configuration(file, {})


def test_every_item_has_a_command() -> None:
    named = {word for command in COMMANDS for word in command.split()}
    assert set(catalogue()) <= named


def test_pairs_and_judges_are_configured(tmp_path: Path) -> None:
    settings = configured(tmp_path).settings
    for option, known in (("--pair", settings.pairs), ("--judge", settings.engines)):
        named = {name for each in COMMANDS for name in re.findall(rf"{option} (\S+)", each)}
        assert named
        assert named <= set(known)
    models = {(settings.engines[p.srm].model, settings.engines[p.lrm].model)
              for p in settings.pairs.values()}  # fmt: skip
    assert len(models) == 5, "the paper's four pairs, and the one with the API"


def test_what_measured_runs_cost_is_known(tmp_path: Path) -> None:
    settings = configured(tmp_path).settings
    measured = [command for command in COMMANDS if "--measured" in command]
    named = {name for each in measured for name in re.findall(r"--pair (\S+)", each)}
    assert named
    for name in named:
        pair = settings.pairs[name]
        assert all(settings.engines[engine].prices for engine in (pair.srm, pair.lrm))


def test_answers_are_counted_right() -> None:
    """Of Figure 4 and Table 1, whose arms no other item has run before."""
    questions = {
        "aime24": 30,
        "aime25": 30,
        "gpqa_diamond": 198,
        "bbh": 6511,
        "arc_challenge": 1172,
    }
    for name, row in (("fig4", "Figure 4"), ("table1", "Table 1")):
        full = catalogue()[name].full
        answers = len(full.arms()) * full.epochs * sum(questions[task] for task in full.tasks)
        assert re.search(rf"\| {row} \|.*\| {answers:,} \|", PAGE), answers
