"""Runs read back out of Inspect's logs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from inspect_ai import Task
from inspect_ai import eval as evaluate
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalError, EvalLog, read_eval_log, write_eval_log
from inspect_ai.scorer import match
from inspect_ai.solver import generate

from trigreason.bundled import problems
from trigreason.configuration import bundled_pair
from trigreason.evaluation.answering import own_arm
from trigreason.evaluation.logs import log_arm, log_facts, outcome_of, read_log, read_outcomes
from trigreason.evaluation.recorded import log_files
from trigreason.evaluation.runs import Failed, Run
from trigreason.evaluation.tasks import bundled
from trigreason.reasoning import trace_to_json

pytestmark = pytest.mark.slow

EPOCHS = 2


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return logged(
        tmp_path_factory.mktemp("ours"),
        bundled(limit=2, seed=3, groups=["navigate", "web_of_lies"]),
        model_args={"method": "srm", "k": 4},
        epochs=EPOCHS,
    )


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of a task that knows nothing of pairs."""
    dataset = [Sample(input=each.question, target=each.target) for each in problems()[:2]]
    task = Task(dataset=dataset, solver=generate(), scorer=match(location="any"), name="quiz")
    return logged(tmp_path_factory.mktemp("theirs"), task, model_args={"method": "lrm"})


def logged(folder: Path, task: Task, **options: Any) -> Path:
    (log,) = evaluate(
        task, model="trigreason/bundled", log_dir=str(folder), display="none", **options
    )
    assert log.status == "success", log.error
    return Path(log.location.removeprefix("file://"))


def changed(file: Path, to: Path) -> Iterator[EvalLog]:
    """The log, to be changed and written again."""
    log = read_eval_log(str(file))
    yield log
    write_eval_log(log, str(to))


def told(runs: Iterator[Run]) -> list[tuple[Any, ...]]:
    return sorted(
        (run.sample, run.epoch, run.group, run.right, run.trace.fingerprint()) for run in runs
    )


@pytest.mark.slow
def test_runs_come_back_whole(ours: Path) -> None:
    runs = list(read_log(ours))
    samples = read_eval_log(str(ours)).samples or []
    assert len(runs) == len(samples) == 2 * EPOCHS
    assert {(run.task, run.pair) for run in runs} == {("bundled", "bundled")}
    assert {run.group for run in runs} == {"navigate", "web_of_lies"}
    targets = {each.question: each.target for each in problems()}
    for run in runs:
        assert run.target == targets[run.question]
        (sample,) = [each for each in samples if (each.id, each.epoch) == (run.sample, run.epoch)]
        assert run.right is ((sample.scores or {})["right"].value == "C")
        assert json.loads(json.dumps(trace_to_json(run.trace))) == sample.metadata["trace"]
        assert outcome_of(sample, "bundled") == run


def test_a_log_says_how_its_runs_were_answered(ours: Path, theirs: Path) -> None:
    base = own_arm(bundled_pair())
    assert log_arm(ours) == base.with_args({"method": "srm", "k": 4})
    assert log_arm(theirs) == base.with_args({"method": "lrm"})


def test_facts_of_the_header(ours: Path, theirs: Path) -> None:
    facts = log_facts(ours)
    assert (facts.task, facts.model, facts.pair) == ("bundled", "trigreason/bundled", "bundled")
    assert (facts.epochs, facts.status) == (EPOCHS, "success")
    assert facts.args == {"method": "srm", "k": 4}
    assert facts.settings["seed"] == 3
    assert (log_facts(theirs).task, log_facts(theirs).epochs) == ("quiz", 1)


def test_other_peoples_tasks_keep_the_trace_too(theirs: Path) -> None:
    runs = sorted(read_log(theirs), key=lambda run: run.sample)
    assert [run.question for run in runs] == [each.question for each in problems()[:2]]
    assert [run.target for run in runs] == [each.target for each in problems()[:2]]
    assert {run.task for run in runs} == {"quiz"}
    assert {run.trace.method for run in runs} == {"lrm"}
    assert all(run.right is not None for run in runs)


def test_both_formats_hold_the_same_runs(ours: Path, tmp_path: Path) -> None:
    other = tmp_path / "log.json"
    write_eval_log(read_eval_log(str(ours)), str(other))
    assert told(read_log(other)) == told(read_log(ours))
    assert log_arm(other) == log_arm(ours)
    assert log_facts(other) == log_facts(ours)


def test_an_unfinished_log_gives_what_it_has(ours: Path, tmp_path: Path) -> None:
    """As after ``kill -9``: no header, no summaries, and some of the samples."""
    cut = tmp_path / "cut.eval"
    with ZipFile(ours) as whole, ZipFile(cut, "w") as part:
        samples = [name for name in whole.namelist() if name.startswith("samples/")]
        for name in ["_journal/start.json", *samples[:3]]:
            part.writestr(name, whole.read(name))
    assert len(list(read_log(cut))) == 3
    assert log_facts(cut).status == "started"
    assert log_arm(cut) == log_arm(ours)


def test_failed_samples_are_left_out_and_told(ours: Path, tmp_path: Path) -> None:
    file = tmp_path / "failed.eval"
    for log in changed(ours, file):
        assert log.samples
        log.samples[0].error = EvalError(message="no\nnever", traceback="", traceback_ansi="")
        failed = log.samples[0]
    assert len(list(read_log(file))) == 2 * EPOCHS - 1
    told = Failed(str(failed.id), failed.epoch, "no never")
    assert [each for each in read_outcomes(file) if isinstance(each, Failed)] == [told]
    assert outcome_of(failed) == told
    assert list(read_outcomes(ours)) == list(read_log(ours))


@pytest.mark.parametrize(
    ("value", "right"),
    [
        ("C", True),
        ("I", False),
        ("N", False),
        ("P", None),
        (1, True),
        (0.0, False),
        (True, True),
        (0.4, None),
        (float("nan"), None),
        ("great", None),
        ({"a": 1}, None),
        ([1], None),
    ],
)
def test_the_first_score_says_whether_a_run_is_right(
    theirs: Path, tmp_path: Path, value: Any, right: bool | None
) -> None:
    file = tmp_path / "scored.eval"
    for log in changed(theirs, file):
        for sample in log.samples or []:
            assert sample.scores
            sample.scores["match"].value = value
    assert {run.right for run in read_log(file)} == {right}


def test_without_scores_nothing_is_known(theirs: Path, tmp_path: Path) -> None:
    file = tmp_path / "unscored.eval"
    for log in changed(theirs, file):
        for sample in log.samples or []:
            sample.scores = None
    assert {run.right for run in read_log(file)} == {None}


def test_what_is_no_log_is_refused_in_one_line(tmp_path: Path) -> None:
    for name, text in (("a.eval", "no zip"), ("a.json", "{"), ("b.json", json.dumps({"a": 1}))):
        file = tmp_path / name
        file.write_text(text)
        with pytest.raises(ValueError, match=f"{name} is no log of Inspect"):
            list(read_log(file))
    with pytest.raises(ValueError, match="is no log of Inspect"):
        log_facts(tmp_path / "missing.eval")


def test_logs_are_found_in_folders(ours: Path, theirs: Path, tmp_path: Path) -> None:
    assert log_files([ours.parent, theirs]) == [ours, theirs]
    with pytest.raises(ValueError, match="no log in the folder"):
        log_files([tmp_path])
    with pytest.raises(ValueError, match="there is no log or folder"):
        log_files([tmp_path / "missing"])


@pytest.mark.slow
def test_reading_runs_takes_a_few_times_as_long_as_reading_their_json(
    ours: Path, tmp_path: Path
) -> None:
    """Four short runs, each stretched to 20 times its steps, about 250 of them."""
    file = tmp_path / "long.eval"
    for log in changed(ours, file):
        assert log.samples
        for sample in log.samples:
            sample.metadata["trace"]["steps"] *= 20
    ratios = []
    for _ in range(5):
        began = time.process_time()
        with ZipFile(file) as archive:
            names = [name for name in archive.namelist() if name.startswith("samples/")]
            assert len([json.loads(archive.read(name)) for name in names]) == 4
        read = time.process_time()
        assert sum(1 for _ in read_log(file)) == 4
        ratios.append((time.process_time() - read) / (read - began))
    assert min(ratios) < 8
