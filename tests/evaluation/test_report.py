"""Reports of logs: what is in the tables, and that strangers' text stays text."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.evaluation.recorded_runs import LRM, SRM, run, step, write_log
from trigreason.evaluation.arms import Arm
from trigreason.evaluation.recorded import log_files
from trigreason.evaluation.report.arm_names import arm_names
from trigreason.evaluation.report.collect import Collected, collect
from trigreason.evaluation.report.examples import pick, read_examples
from trigreason.evaluation.report.numbers import differences, numbers
from trigreason.evaluation.report.page import write_report
from trigreason.evaluation.report.stories import STEPS_SHOWN, reading
from trigreason.evaluation.report.tables import QUESTIONS_SHOWN, overview, questions, settings
from trigreason.evaluation.runs import Run
from trigreason.reasoning import Thresholds, Trigger

pytestmark = pytest.mark.slow

ARMS = {method: Arm(method=method) for method in ("srm", "lrm", "specreason", "trigreason")}
HOSTILE = "<script>alert(1)</script>\"'><img src=//evil.example/x onerror=alert(2)> {{ 7 * 7 }} $x$"


@dataclass
class Page(HTMLParser):
    """What a page is made of."""

    text: list[str] = field(default_factory=list)
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._cell = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        self._cell = tag in ("td", "th")

    def handle_endtag(self, tag: str) -> None:
        self._cell = False

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self._cell:
            self.rows[-1][-1] += data

    def row(self, first: str) -> list[str]:
        return next(each for each in self.rows if each and each[0] == first)


def answers(right: str, questions: str = "abcd", epochs: int = 2, **changes: object) -> list[Run]:
    """Runs on ``questions`` of which those in ``right`` are right each time."""
    return [
        run(name, epoch, right=name in right, **changes)  # type: ignore[arg-type] # passed on
        for name in questions
        for epoch in range(1, epochs + 1)
    ]


def alone(method: str, right: str) -> list[Run]:
    author = LRM if method == "lrm" else SRM
    return answers(right, steps=[step(author, 20)])


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("logs")
    write_log(folder / "1.json", ARMS["trigreason"], answers("abc"))
    write_log(folder / "2.json", ARMS["srm"], alone("srm", "a"))
    write_log(folder / "3.json", ARMS["lrm"], alone("lrm", "abcd"))
    write_log(folder / "4.json", ARMS["specreason"], answers("ab"))
    return folder


@pytest.fixture(scope="module")
def written(logs: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The page of these logs, and its figures."""
    return write_report(collected(logs), tmp_path_factory.mktemp("new") / "page.html", 2)


def collected(*places: Path) -> Collected:
    return collect(log_files(list(places)))


def page_of(found: Collected, folder: Path) -> Page:
    return read(write_report(found, folder / "report.html", 2)[0])


def read(file: Path) -> Page:
    page = Page()
    page.feed(file.read_text())
    return page


def test_the_tables_say_what_the_logs_do(written: list[Path]) -> None:
    page = read(written[0])
    assert page.row("method")[1:] == ["SRM only", "LRM only", "SpecReason", "TrigReason"]
    assert page.row("answers")[1:] == ["8"] * 4
    assert page.row("accuracy")[1:] == ["25.0 %", "100.0 %", "50.0 %", "75.0 %"]
    assert page.row("SMT")[1:] == ["100.0 %", "0.0 %", "25.0 %", "25.0 %"]
    difference = page.row("TrigReason minus LRM only")
    assert difference[1] == "\u221225.0"
    assert difference[3:] == ["4", "within chance"]
    assert page.row("d")[1:] == ["4", "0 of 2", "2 of 2", "0 of 2", "0 of 2"]
    text = "".join(page.text)
    assert "TrigReason has 75.0 % right, the LRM alone 100.0 % (\u221225.0 points, " in text
    assert "small" in text
    assert "large" in text
    assert "cognitive offload" in text


def test_the_page_needs_nothing_from_elsewhere(written: list[Path]) -> None:
    page = read(written[0])
    for tag, attributes in page.tags:
        assert tag not in ("script", "link", "img", "iframe", "object", "embed", "base")
        for name, value in attributes.items():
            if name in ("href", "src", "xlink:href", "srcset", "action", "poster"):
                assert value is not None
                assert value.startswith("#") or (written[0].parent / value).is_file()
            assert name.startswith("xmlns") or "//" not in (value or "")
    style = "".join(page.text)
    assert "@import" not in style
    assert "url(" not in style
    names = [value for _, attributes in page.tags if (value := attributes.get("id"))]
    assert len(names) == len(set(names))


def test_figures_lie_beside_the_page(written: list[Path]) -> None:
    names = {each.name for each in written[1:]}
    assert {"quiz-mine-plane.png", "quiz-mine-plane.svg", "quiz-mine-latency.png"} <= names
    assert all(each.parent == written[0].parent / "page-figures" for each in written[1:])
    assert all(each.stat().st_size for each in written)


@pytest.mark.slow
def test_what_models_and_users_write_stays_text(tmp_path: Path) -> None:
    evil = [
        step(text=f"{HOSTILE}\n\n", hesitations=(HOSTILE,), ratio=0.5),
        step(LRM, text="\u202eabc \u05e9\u05dc\u05d5\u05dd\x00\x1b[31m \U0001f600\n\n"),
    ]
    for at, method in enumerate(("srm", "trigreason")):
        runs = answers(
            "a",
            (f"a{HOSTILE}", f"b{HOSTILE}"),  # type: ignore[arg-type] # names longer than a letter
            steps=evil,
            question=HOSTILE,
            answer=HOSTILE,
            target=HOSTILE,
        )
        grouped = [replace(each, group=f"{HOSTILE}{each.sample[0]}") for each in runs]
        write_log(tmp_path / f"{at}.json", ARMS[method], grouped, pair=HOSTILE)
    page = page_of(collected(tmp_path), tmp_path)
    assert {tag for tag, _ in page.tags} & {"script", "img"} == set()
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    text = "".join(page.text)
    assert text.count(HOSTILE) > 10
    assert "\u05e9\u05dc\u05d5\u05dd\u2400\u241b[31m \U0001f600" in text
    assert "49" not in text.replace(HOSTILE, "")


def test_one_arm_without_scores_is_a_report_too(tmp_path: Path) -> None:
    unscored = [replace(each, right=None, target=None) for each in answers("")]
    write_log(tmp_path / "log.json", ARMS["srm"], unscored)
    found = collected(tmp_path)
    page = page_of(found, tmp_path)
    assert not [row for row in page.rows if row[0] == "accuracy"]
    told = numbers(found)["comparisons"][0]
    assert told["differences"] == []
    assert told["arms"][0]["summary"]["accuracy"] is None


def test_tasks_pairs_and_files_of_questions_are_kept_apart(logs: Path, tmp_path: Path) -> None:
    more = tmp_path
    write_log(more / "1.json", ARMS["srm"], answers("a"), task="other")
    write_log(more / "2.json", ARMS["srm"], answers("b"), pair="yours")
    write_log(more / "3.json", ARMS["srm"], answers("c"), settings={"data": "file", "limit": 4})
    write_log(more / "4.json", ARMS["lrm"], answers("c"), settings={"data": "file", "seed": 3})
    found = collected(logs, more)
    about = [(each.task, each.pair, len(each.arms)) for each in found.comparisons]
    assert about == [
        ("quiz", "mine", 4),
        ("other", "mine", 1),
        ("quiz", "yours", 1),
        ("quiz", "mine", 2),
    ]


@pytest.mark.slow
def test_comparisons_of_one_name_have_their_own_places(tmp_path: Path) -> None:
    for data in ("one", "two"):
        write_log(tmp_path / f"{data}.json", ARMS["srm"], answers("a"), settings={"data": data})
    page = page_of(collected(tmp_path), tmp_path)
    anchors = [attributes["id"] for tag, attributes in page.tags if tag == "h2"]
    assert anchors == ["quiz-mine", "quiz-mine-2"]
    assert {f"#{each}" for each in anchors} <= {each.get("href") for _, each in page.tags}


def test_a_pair_with_other_models_is_another_pair(tmp_path: Path) -> None:
    for at, name in enumerate(("small", "small", "other")):
        runs = answers("a")
        for each in runs:
            each.trace.models[SRM] = name
        write_log(tmp_path / f"{at}.json", Arm(thresholds=Thresholds(n=at)), runs)
    found = collected(tmp_path).comparisons
    assert [(each.models[SRM], len(each.arms)) for each in found] == [("small", 2), ("other", 1)]


def test_a_prompt_that_all_questions_begin_with_is_not_shown(tmp_path: Path) -> None:
    prompt = "Solve this.\n\nProblem: "
    runs = [run(name, question=f"{prompt}{name} plus {name}?") for name in ("one", "two")]
    write_log(tmp_path / "log.json", ARMS["srm"], runs)
    table = questions(collected(tmp_path).comparisons[0])
    assert table is not None
    assert [row[0].note for row in table.rows] == [
        "Problem: one plus one?",
        "Problem: two plus two?",
    ]


def test_a_run_in_two_logs_counts_once_and_other_seeds_are_other_runs(tmp_path: Path) -> None:
    write_log(tmp_path / "1.json", ARMS["srm"], answers("a")[:5], settings={"seed": 0})
    write_log(tmp_path / "2.json", ARMS["srm"], answers("a"), settings={"seed": 0})
    write_log(tmp_path / "3.json", ARMS["srm"], answers("ab"), settings={"seed": 1})
    (comparison,) = collected(tmp_path).comparisons
    summary = comparison.summaries()[ARMS["srm"]]
    assert (summary.questions, summary.runs) == (4, 16)
    assert summary.accuracy is not None
    assert summary.accuracy.value == pytest.approx((1 + 0.5) / 4)


def spoil(log: Path, errors: dict[str, str]) -> None:
    """Let the runs of these questions have failed, for these reasons."""
    told = json.loads(log.read_text())
    for sample in told["samples"]:
        if reason := errors.get(sample["id"]):
            sample["error"] = {"message": reason, "traceback": "", "traceback_ansi": ""}
    log.write_text(json.dumps(told))


def test_a_run_that_another_log_has_did_not_fail(tmp_path: Path) -> None:
    first = write_log(tmp_path / "1.json", ARMS["srm"], answers("a", "abcd", 1))
    spoil(first, {"b": "ValueError('no')", "c": "CancelledError()", "d": "ValueError('no')"})
    second = write_log(tmp_path / "2.json", ARMS["srm"], answers("a", "ab", 1))
    found = collected(first, second)
    own = found.comparisons[0].arms[ARMS["srm"]]
    assert [log.failed for log in own.logs] == [2, 0]
    told = numbers(found)["comparisons"][0]["arms"][0]
    assert (told["planned"], told["complete"]) == (3, False)
    assert told["failed"] == [{"sample": "d", "epoch": 1, "reason": "no"}]
    assert overview(found.comparisons[0]).rows[0][1].text == "2 of 3"


def test_runs_to_read_are_those_that_were_picked_whatever_seeds_there_are(tmp_path: Path) -> None:
    for seed, right in ((0, "ab"), (1, "")):
        log = answers(right, "ab", 1, answer=f"with seed {seed}")
        write_log(tmp_path / f"t{seed}.json", ARMS["trigreason"], log, settings={"seed": seed})
    for seed in (1, 0):
        log = answers("", "ab", 1, answer=f"with seed {seed}")
        write_log(tmp_path / f"s{1 - seed}.json", ARMS["srm"], log, settings={"seed": seed})
    (comparison,) = collected(tmp_path).comparisons
    (example,) = read_examples(comparison, 1)
    assert example.why == "TrigReason is right where the SRM alone is not"
    assert example.runs[ARMS["trigreason"]].right is True
    assert {run.trace.answer for run in example.runs.values()} == {"with seed 0"}


def test_no_two_settings_have_one_name(logs: Path) -> None:
    (comparison,) = collected(logs).comparisons
    table = settings(comparison)
    common = table.notes[0].partition(": ")[2].split("; ")
    told = [each.partition(" = ")[0] for each in common] + [row[0].text for row in table.rows]
    assert {"n", "judge_first"} <= set(told)
    assert len(told) == len(set(told))


def test_logs_without_a_run_are_left_out_and_said_so(tmp_path: Path) -> None:
    empty = write_log(tmp_path / "empty.json", ARMS["srm"], [])
    with pytest.raises(ValueError, match="no finished run of a pair"):
        collected(empty)
    full = write_log(tmp_path / "full.json", ARMS["srm"], answers("a"))
    found = collected(empty, full)
    assert len(found.comparisons) == 1
    assert found.left_out == [f"{empty.name}: no finished run"]
    assert found.left_out[0] in "".join(page_of(found, tmp_path).text)


@pytest.mark.slow
def test_of_hundreds_of_questions_those_that_differ_come_first(tmp_path: Path) -> None:
    names = [f"q{at:03}" for at in range(QUESTIONS_SHOWN + 40)]
    for method, right in (("srm", names[10:]), ("lrm", names)):
        runs = [run(name, right=name in right) for name in names]
        write_log(tmp_path / f"{method}.json", ARMS[method], runs)
    (comparison,) = collected(tmp_path).comparisons
    table = questions(comparison)
    assert table is not None
    assert len(table.rows) == QUESTIONS_SHOWN
    assert sorted(row[0].text for row in table.rows[:10]) == names[:10]
    assert table.notes == ["40 more, on which arms differ less, are left out."]
    assert overview(comparison).rows[0][1].text == "340"


def test_arms_of_one_method_are_told_apart_by_what_differs() -> None:
    arms = [
        Arm(thresholds=Thresholds(rho=0.9)),
        Arm(thresholds=Thresholds(rho=0.75)),
        Arm(method="lrm"),
    ]
    assert list(arm_names(arms).items()) == [
        (arms[2], "LRM only"),
        (arms[1], "TrigReason, ρ 0.75"),
        (arms[0], "TrigReason, ρ 0.9"),
    ]


def test_many_arms_are_compared_with_the_lrm_alone(tmp_path: Path) -> None:
    write_log(tmp_path / "lrm.json", ARMS["lrm"], answers("abc"))
    for n in range(4):
        arm = Arm(thresholds=Thresholds(n=n))
        write_log(tmp_path / f"{n}.json", arm, answers("abcd"[:n]))
    (comparison,) = collected(tmp_path).comparisons
    found = differences(comparison)
    assert [each.first.thresholds.n for each in found] == [0, 1, 2, 3]
    assert {each.second.method for each in found} == {"lrm"}
    assert [each.difference.value for each in found] == [-0.75, -0.5, -0.25, 0]


def test_runs_to_read_are_telling_ones(logs: Path) -> None:
    (comparison,) = collected(logs).comparisons
    assert pick(comparison, 3) == {
        "b": "TrigReason is right where the SRM alone is not",
        "d": "TrigReason is wrong",
        "a": "taken as it comes",
    }
    assert pick(comparison, 0) == {}
    assert list(pick(comparison, 9)) == ["b", "d", "a", "c"]


def test_a_run_is_read_as_it_was_written() -> None:
    shown = reading(
        run(
            steps=[
                step(text="First.\n\n", ratio=0.5, hesitations=("wait",)),
                step(text="Bad.\n\n", standing=False, ratio=0.93),
                step(LRM, 1, "Good.\n\n", Trigger.COGNITIVE_OFFLOAD),
            ]
        )
    )
    assert [(each.author, each.text, each.draft, each.trigger) for each in shown.steps] == [
        ("srm", "First.", False, ""),
        ("srm", "Bad.", True, ""),
        ("lrm", "Good.", False, "cognitive offload"),
    ]
    assert shown.steps[0].facts == "10 tokens · r = 0.50 · hesitates: wait"
    assert shown.steps[1].facts == "10 tokens · r = 0.93 · thrown away"
    assert shown.steps[2].facts == "1 token"
    assert (shown.outcome, shown.answered_by, shown.answer) == ("right", "lrm", "4")


def test_half_a_character_can_be_written_all_the_same() -> None:
    (shown,) = reading(run(steps=[step(text="a\ud83d\x00b\n\n")])).steps
    assert shown.text == "a\ufffd\u2400b"
    assert shown.text.encode()


def test_a_huge_run_is_cut_and_says_so() -> None:
    steps = [step(text=f"{at} {'x' * 5000}\n\n") for at in range(500)]
    shown = reading(run(steps=steps, answer="y" * 3000))
    assert len(shown.steps) == STEPS_SHOWN + 1
    skipped = shown.steps[STEPS_SHOWN // 2]
    assert skipped.skipped == 500 - STEPS_SHOWN
    assert shown.steps[0].text.endswith("… [3,002 more characters]")
    assert shown.steps[-1].text.startswith("499 ")
    assert shown.answer.endswith("[1,000 more characters]")
