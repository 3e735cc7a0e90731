"""Runs out of every kind of file, and one line about what holds none."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.evaluation.recorded_runs import run, write_log
from tests.studies.recordings import step, trace
from trigreason.evaluation.arms import Arm
from trigreason.evaluation.recorded import read_runs
from trigreason.reasoning import Trace, trace_to_json


def values(question: str = "Why?") -> dict[str, Any]:
    return trace_to_json(one(question))


def one(question: str = "Why?") -> Trace:
    return trace([step()], question=question)


def write(file: Path, *lines: object) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(json.dumps(line) for line in lines) + "\n")
    return file


def test_a_single_trace_has_no_outcome(tmp_path: Path) -> None:
    (run,) = read_runs([write(tmp_path / "run.json", values())])
    assert run.trace == one()
    assert run.right is None
    assert run.sample == ""


def test_what_solve_prints_as_json(tmp_path: Path) -> None:
    (run,) = read_runs([write(tmp_path / "run.json", {"answer": "7", "trace": values()})])
    assert run.trace == one()


def test_lines_of_traces_and_what_is_known_of_them(tmp_path: Path) -> None:
    known = {"right": False, "target": "7", "group": "sums", "epoch": 2, "question": "sums-4"}
    line = known | {"setting": "abc", "trace": values("2 + 5?")}
    file = write(tmp_path / "runs.jsonl", values(), line)
    plain, told = read_runs([file])
    assert (plain.right, plain.epoch) == (None, 1)
    assert (told.right, told.target, told.group) == (False, "7", "sums")
    assert (told.sample, told.epoch, told.question) == ("sums-4", 2, "2 + 5?")


def test_a_last_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    file = write(tmp_path / "runs.jsonl", values("A"), values("B"))
    whole = file.read_text()
    file.write_text(whole[:-20])
    assert [run.question for run in read_runs([file])] == ["A"]
    file.write_text(whole[:-1])
    assert [run.question for run in read_runs([file])] == ["A", "B"]


def test_lines_of_something_else_in_a_folder_are_passed_over(tmp_path: Path) -> None:
    write(tmp_path / "judged.jsonl", {"judge": "lrm", "scores": [9, 7]})
    write(tmp_path / "run.json", values("A"))
    assert [run.question for run in read_runs([tmp_path])] == ["A"]


def test_a_gateways_record_has_its_traces_within(tmp_path: Path) -> None:
    record = {"id": "chatcmpl-1", "pair": "mine", "traces": {"t1": values("A"), "t2": values("B")}}
    empty = {"id": "chatcmpl-2", "pair": "mine", "traces": {}}
    runs = list(read_runs([write(tmp_path / "records.jsonl", record, empty)]))
    assert [(run.sample, run.question, run.pair) for run in runs] == [
        ("t1", "A", "mine"),
        ("t2", "B", "mine"),
    ]


def test_a_folder_is_searched_in_order(tmp_path: Path) -> None:
    write(tmp_path / "b" / "2.json", values("second"))
    write(tmp_path / "a" / "1.jsonl", values("first"))
    write(tmp_path / ".part" / "0.json", values("half-written"))
    write(tmp_path / "eval-set.json", {"eval_set_id": "x", "tasks": []})
    (tmp_path / "notes.txt").write_text("no run")
    assert [run.question for run in read_runs([tmp_path])] == ["first", "second"]


@pytest.mark.parametrize("suffix", ["eval", "json"])
def test_a_run_that_several_logs_hold_counts_once_and_as_the_newest_has_it(
    tmp_path: Path, suffix: str
) -> None:
    """As in a folder of an arm that was killed, and goes on."""
    arm = Arm(method="srm")
    seed: dict[str, object] = {"seed": 1}
    before = [run("a", right=False), run("a", 2)]
    after = [run("a"), run("a", 2), run("b")]
    logs = [
        write_log(tmp_path / f"1.{suffix}", arm, before, settings=seed),
        write_log(tmp_path / f"2.{suffix}", arm, after, settings=seed | {"limit": 2}),
    ]
    told = sorted((each.sample, each.epoch, each.right) for each in read_runs([tmp_path]))
    assert told == [("a", 1, True), ("a", 2, True), ("b", 1, True)]
    assert len(list(read_runs(logs))) == 3
    assert len(list(read_runs([tmp_path, tmp_path, logs[0]]))) == 3


def test_runs_that_differ_in_what_was_asked_are_others(tmp_path: Path) -> None:
    arm = Arm(method="srm")
    write_log(tmp_path / "1.json", arm, [run()], settings={"seed": 1})
    write_log(tmp_path / "2.json", arm, [run()], settings={"seed": 2})
    write_log(tmp_path / "3.json", arm, [run()], settings={"seed": 1, "data": "file"})
    write_log(tmp_path / "4.json", Arm(method="lrm"), [run()], settings={"seed": 1})
    write_log(tmp_path / "5.json", arm, [run()], task="other", settings={"seed": 1})
    write_log(tmp_path / "6.json", arm, [run()], pair="yours", settings={"seed": 1})
    assert len(list(read_runs([tmp_path]))) == 6


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Logs in which runs of two arms stand several times, not always with the same outcome."""
    folder, other = tmp_path_factory.mktemp("logs"), tmp_path_factory.mktemp("more")
    arms = [Arm(method="srm"), Arm(method="lrm")]
    held = ["abc", "ab", "bcd", "", "abcd"]
    logs = [
        write_log(
            (folder, other)[at % 2] / f"{at}.json",
            arms[at // 3],
            [run(name, right=at % 2 == 0) for name in names],
            settings={"seed": 0, "limit": len(names)},
        )
        for at, names in enumerate(held)
    ]
    for at, log in enumerate(logs):
        os.utime(log, (at // 2, at // 2))
    return logs


@pytest.mark.slow
@settings(deadline=None, max_examples=10, phases=[Phase.generate])
@given(data=st.data())
def test_copies_in_any_order_give_the_same_runs(copies: list[Path], data: st.DataObject) -> None:
    """Also where logs are named twice, or their folders in their place."""
    folders = sorted({log.parent for log in copies})
    named = data.draw(st.permutations([*copies, *data.draw(st.sets(st.sampled_from(folders)))]))
    found = [(each.trace.method, each.sample, each.right) for each in read_runs(named)]
    srm = [("srm", name, name != "a") for name in "abcd"]
    assert sorted(found) == [*(("lrm", name, True) for name in "abcd"), *srm]


def test_traces_that_are_equal_are_still_two_but_not_one_that_is_named_twice(
    tmp_path: Path,
) -> None:
    write(tmp_path / "1.json", values())
    lines = write(tmp_path / "2.jsonl", values(), values())
    assert len(list(read_runs([tmp_path, lines]))) == 3


def _damaged() -> dict[str, Any]:
    broken = values()
    del broken["steps"][0]["author"]
    return broken


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("run.json", "{", "run.json: is no JSON"),
        ("run.json", '{"a": 1}', "run.json: this is no trace"),
        ("run.json", "[]", "run.json: this is no trace"),
        ("run.json", json.dumps(values() | {"schema": 99}), "run.json: this trace has schema 99"),
        ("runs.jsonl", f"{json.dumps(values())}\n\nnull", "runs.jsonl, line 3: this is no trace"),
        ("runs.jsonl", json.dumps(_damaged()), "runs.jsonl, line 1: this trace is damaged"),
        ("runs.jsonl", json.dumps({"trace": values(), "right": "yes"}), "right true or false"),
        ("run.txt", "", "run.txt: is no kind of file"),
        ("log.eval", "no zip", "log.eval"),
    ],
)
def test_what_is_broken_is_said_in_one_line(
    tmp_path: Path, name: str, text: str, told: str
) -> None:
    file = tmp_path / name
    file.write_text(text)
    with pytest.raises(ValueError, match=told) as caught:
        list(read_runs([file]))
    assert "\n" not in str(caught.value)


def test_nothing_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no recorded run in this folder"):
        list(read_runs([tmp_path]))
    with pytest.raises(ValueError, match="no such file"):
        list(read_runs([tmp_path / "gone.eval"]))
    with pytest.raises(ValueError, match="gone: there is no such file or folder"):
        list(read_runs([tmp_path / "gone"]))
    with pytest.raises(FileNotFoundError):
        list(read_runs([tmp_path / "gone.json"]))
