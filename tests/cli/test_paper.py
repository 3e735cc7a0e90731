"""``trigreason paper`` on the bundled pair."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.cli.commands import Command, finished, start
from trigreason.cli import INTERRUPTED
from trigreason.paper.item_files import catalogue


def test_the_list_has_every_item(command: Command) -> None:
    told = command("paper", "list")
    assert (told.code, told.err) == (0, "")
    assert {line.split()[0] for line in told.out.splitlines() if line.strip()} >= set(catalogue())
    assert max(map(len, told.out.splitlines())) <= 80
    items = command("paper", "list", "--json").json["items"]
    assert [item["id"] for item in items] == list(catalogue())


@pytest.mark.slow
def test_an_item_end_to_end_and_again_without_a_run(command: Command, tmp_path: Path) -> None:
    call = ("paper", "run", "fig2c", "--quick", "--limit", "1", "--epochs", "1")
    told = command(*call, "--out", str(tmp_path), "--json")
    assert told.code == 0, told.err
    assert "fig2c · bundled · bundled: 3 runs" in told.err
    [item] = told.json["items"]
    assert [Path(file).name for file in item["files"]] == [
        f"fig2c.{kind}" for kind in ("md", "json", "png", "svg")
    ]
    assert all(Path(file).exists() for file in item["files"])
    measured = {(row["arm"], row["measure"]): row["value"] for row in item["rows"]}
    assert measured["LRM only", "seconds"] > 1, "a first token takes a second there"
    assert measured["SpecReason", "seconds_vs_lrm"] == pytest.approx(
        measured["SpecReason", "seconds"] / measured["LRM only", "seconds"] - 1
    )
    again = command(*call, "--out", str(tmp_path))
    assert again.code == 0, again.err
    assert "runs" not in again.err
    assert "The paper (DeepSeek-R1-1.5B at the edge" in " ".join(again.out.split())
    kept = json.loads((tmp_path / "fig2c.json").read_text())
    assert kept["rows"] == item["rows"]


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (("run", "fig9", "--quick"), "no item is called 'fig9'; did you mean fig"),
        (("run", "fig4"), "cannot do the paper's tasks; add --quick"),
        (("run", "fig4", "--pair", "mine"), "no pair is called 'mine'"),
        (("run", "fig4", "--quick", "--task", "bbh"), "the quick size has its own task"),
        (("all", "--quick", "--epochs", "0"), "--epochs"),
        (("run", "fig4", "--quick", "--measured"), "--measured means nothing to fig4"),
        (
            ("run", "fig4", "fig6a", "--quick", "--judge", "x"),
            "--judge means nothing to fig4, fig6a",
        ),
    ],
)
def test_wrong_use_is_one_line(
    command: Command, call: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    command("paper", *call, "--out", str(tmp_path)).check_complaint(2, told)


def test_questions_that_are_not_there_are_one_line(command: Command, tmp_path: Path) -> None:
    where = str(tmp_path / "nowhere")
    told = command("paper", "run", "fig4", "--quick", "--data", where, "--out", str(tmp_path))
    assert told.code == 1
    assert told.err.splitlines()[-1].startswith("trigreason: ")
    assert where in told.err.splitlines()[-1]


@pytest.mark.slow
def test_everything_in_a_small_size(command: Command, tmp_path: Path) -> None:
    told = command(
        "paper", "all", "--quick", "--limit", "4", "--epochs", "1", "--out", str(tmp_path)
    )
    assert told.code == 0, told.err
    text = (tmp_path / "index.md").read_text()
    for item in catalogue().values():
        assert f"## {item.title}" in text
        assert (tmp_path / f"{item.id}.json").exists()
        if item.id in ("fig3", "table4"):
            assert f"({item.id}.png)" not in text, "steps are shown as text"
        elif item.id != "appendix-e":  # there may be too little hesitation in four answers
            assert (tmp_path / f"{item.id}.png").exists()


@pytest.mark.slow
async def test_an_interruption_says_where_to_go_on(tmp_path: Path) -> None:
    process = await start("paper", "run", "fig4", "--quick", "--out", str(tmp_path))
    assert process.stderr is not None
    while b"224 runs" not in (await process.stderr.readline()):
        pass
    process.send_signal(signal.SIGINT)
    told = await finished(process)
    assert told.code == INTERRUPTED
    assert f"what is finished is in {tmp_path / 'logs'}" in told.err
    assert "Traceback" not in told.err
