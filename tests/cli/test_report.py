"""``trigreason report`` on runs of the bundled pair."""

from __future__ import annotations

from pathlib import Path

import pytest
from inspect_ai import eval as evaluate

from tests.cli.commands import Command
from trigreason.evaluation.tasks import bundled

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("logs")
    for method in ("trigreason", "srm"):
        evaluate(
            bundled(limit=2, groups=["navigate", "web_of_lies"]),
            model="trigreason/bundled",
            model_args={"method": method},
            epochs=2,
            log_dir=str(folder),
            display="none",
        )
    return folder


@pytest.mark.slow
def test_it_writes_a_page_and_says_where(command: Command, logs: Path, tmp_path: Path) -> None:
    page = tmp_path / "mine.html"
    done = command("report", str(logs), "--out", str(page))
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0] == "bundled, pair bundled: 2 methods, 8 runs"
    assert lines[1:] == [str(page), f"10 figure files in {tmp_path / 'mine-figures'}"]
    text = page.read_text()
    assert "web_of_lies" in text
    assert "TrigReason" in text
    assert len(list((tmp_path / "mine-figures").iterdir())) == 10


@pytest.mark.slow
def test_its_numbers_are_those_of_the_logs(command: Command, logs: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    told = command("report", str(logs), "--out", str(page), "--examples", "0", "--json").json
    assert told["files"][0] == str(page)
    (comparison,) = told["comparisons"]
    srm, trigreason = comparison["arms"]
    assert [srm["name"], trigreason["name"]] == ["SRM only", "TrigReason"]
    assert srm["summary"]["smt"]["value"] == 1
    assert srm["settings"]["method"] == "srm"
    assert {srm["summary"]["runs"], trigreason["summary"]["runs"]} == {4}
    (difference,) = comparison["differences"]
    assert difference["value"] == pytest.approx(
        trigreason["summary"]["accuracy"]["value"] - srm["summary"]["accuracy"]["value"]
    )
    assert "Runs to read" not in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["nowhere"], 1, "there is no log or folder nowhere"),
        ([__file__], 1, "is no log of Inspect"),
        ([__file__, "--out", "report.pdf"], 2, "--out names the page, such as report.html"),
        ([], 2, "LOGS"),
    ],
)
def test_a_mistake_is_one_line(
    command: Command, arguments: list[str], code: int, told: str
) -> None:
    command("report", *arguments).check_complaint(code, told)


@pytest.mark.slow
def test_a_page_that_cannot_be_written_is_one_line(
    command: Command, logs: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    done = command("report", str(logs), "--out", str(tmp_path / "file" / "report.html"))
    done.check_complaint(1, str(tmp_path / "file"))
