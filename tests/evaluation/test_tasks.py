"""The paper's tasks on Inspect, with the bundled pair and with models that are none of ours."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from inspect_ai import Task, score
from inspect_ai import eval as evaluate
from inspect_ai._util.error import PrerequisiteError
from inspect_ai.log import EvalLog, EvalSample
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import CORRECT, INCORRECT, MetricProtocol, SampleScore, Score

from trigreason.bundled import problems
from trigreason.evaluation.arms import seed_for
from trigreason.evaluation.tasks import (
    aime24,
    aime25,
    arc_challenge,
    bbh,
    bundled,
    gpqa_diamond,
    gsm8k,
    math500,
)
from trigreason.evaluation.work import by_group, measures, right, work
from trigreason.reasoning import Trigger, trace_from_json

pytestmark = pytest.mark.slow

QUESTIONS = 3
EPOCHS = 2


def run(task: Task | str, folder: Path, **options: Any) -> EvalLog:
    (log,) = evaluate(task, log_dir=str(folder), display="none", **options)
    assert log.status == "success", log.error
    return log


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> EvalLog:
    return run(
        "trigreason/bundled",
        tmp_path_factory.mktemp("logs"),
        model="trigreason/bundled",
        task_args={"limit": QUESTIONS, "seed": 5},
        epochs=EPOCHS,
    )


@pytest.fixture
def samples(log: EvalLog) -> list[EvalSample]:
    assert log.samples is not None
    assert len(log.samples) == QUESTIONS * EPOCHS
    return log.samples


def test_every_sample_has_its_own_seed_and_its_trace(samples: list[EvalSample]) -> None:
    for sample in samples:
        trace = trace_from_json(sample.metadata["trace"])
        assert trace.sampling["seed"] == seed_for(5, str(sample.id), sample.epoch)
        assert trace.answer == sample.output.completion
        assert sample.metadata["run"]["lrm_requests"] > 0
        assert trace.messages[-1].content in {each.question for each in problems()}


def test_a_trace_is_twice_in_a_sample_at_most(samples: list[EvalSample]) -> None:
    """In the metadata, and where Inspect notes that the solver put it there."""
    for sample in samples:
        assert "trace" not in (sample.output.metadata or {})
        assert sample.model_dump_json().count('"fingerprint"') == 2


def test_scores_are_the_answers_and_what_they_took(log: EvalLog) -> None:
    assert log.results is not None
    assert log.samples is not None
    by_name = {score.name: score.metrics for score in log.results.scores}
    shares: dict[str | int, list[bool]] = {}
    for sample in log.samples:
        assert sample.scores is not None
        shares.setdefault(sample.id, []).append(sample.scores["right"].value == CORRECT)
    means = [sum(each) / len(each) for each in shares.values()]
    assert by_name["right"]["accuracy"].value == pytest.approx(sum(means) / len(means))
    assert {"stderr", *(str(sample.metadata["group"]) for sample in log.samples)} < set(
        by_name["right"]
    )
    runs = [sample.metadata["run"] for sample in log.samples]
    for name in ("smt", "lrm_requests", "seconds"):
        mean = sum(each[name] for each in runs) / len(runs)
        assert by_name[name]["mean"].value == pytest.approx(mean)
    assert by_name["strategic_priming"]["mean"].value == 1
    assert by_name["truncated"]["mean"].value == 0
    assert "usd" not in by_name, "the bundled pair has no prices"


def test_a_log_can_be_scored_again(log: EvalLog) -> None:
    again = score(log, [right(), work()], action="overwrite", display="none")
    assert again.samples is not None
    assert log.samples is not None
    told = [
        [{name: each.value for name, each in (sample.scores or {}).items()} for sample in samples]
        for samples in (again.samples, log.samples)
    ]
    assert told[0] == told[1]
    assert set(told[0][0]) == {"right", "work"}


def test_other_models_are_graded_and_have_no_work(tmp_path: Path) -> None:
    answers = [rf"So \boxed{{{each.target}}}." for each in problems()[:1]] + [r"\boxed{?}"]
    outputs = [ModelOutput.from_content("mockllm/model", answer) for answer in answers]
    for output in outputs:
        output.usage = ModelUsage()  # or Inspect counts them itself, with a tokenizer off the net
    model = get_model("mockllm/model", custom_outputs=outputs)
    log = run(bundled(limit=2), tmp_path, model=model, max_connections=1)
    assert log.results is not None
    assert log.samples is not None
    assert log.results.scores[0].metrics["accuracy"].value == 0.5
    assert [sorted(sample.scores or {}) for sample in log.samples] == [["right"], ["right"]]
    assert "trace" not in log.samples[0].metadata


def test_what_is_unknown_is_not_a_number() -> None:
    handovers = {trigger.value: 0 for trigger in Trigger}
    run = dict.fromkeys(("thinking_tokens", "drafts"), 1) | {"smt": None, "usd": 0.25}
    told = measures({**run, "handovers": handovers, "stop": "truncated"})
    assert math.isnan(told["smt"])
    assert (told["drafts"], told["usd"], told["truncated"]) == (1, 0.25, 1)


@pytest.mark.parametrize(
    ("groups", "wanted"),
    [("", {}), ("aabb", {"a": 0.5, "b": 1.0}), ("aaaa", {})],
)
def test_accuracy_by_group_where_there_are_groups(groups: str, wanted: dict[str, float]) -> None:
    values = [CORRECT, INCORRECT, CORRECT, CORRECT]
    scores = [
        SampleScore(score=Score(value=1.0 if value == CORRECT else 0.0), sample_metadata=told)
        for value, told in zip(values, [{"group": group} for group in groups], strict=False)
    ]
    assert cast(MetricProtocol, by_group())(scores) == wanted


def test_a_wrong_argument_of_a_task_is_told_in_one_line() -> None:
    with pytest.raises(PrerequisiteError, match="bundled has no group 'web'"):
        bundled(groups="web")
    with pytest.raises(PrerequisiteError, match="bbh: there is no file or folder /nowhere"):
        bbh(data="/nowhere")


DATA = os.environ.get("TRIGREASON_DATA", "")


@pytest.mark.skipif(not DATA, reason="TRIGREASON_DATA names no folder of published questions")
@pytest.mark.parametrize(
    ("task", "size", "kind", "groups"),
    [
        (aime24, 30, "integer", 1),
        (aime25, 30, "integer", 1),
        (arc_challenge, 1150, "letter", 1),
        (gsm8k, 1319, "integer", 1),
        (math500, 500, "math", 1),
        (bbh, 6511, "letter", 27),
        (bundled, 1750, "letter", 7),
    ],
)
def test_published_questions_become_samples(
    task: Callable[..., Task], size: int, kind: str, groups: int
) -> None:
    made = list(task(data=DATA).dataset)
    assert len({sample.id for sample in made}) == len(made) == size
    told = [sample.metadata or {} for sample in made]
    assert kind in {each["kind"] for each in told}
    assert len({each["group"] for each in told}) == groups
    assert all(json.loads(json.dumps(each)) == each for each in told)


def test_groups_and_order_are_a_matter_of_arguments(tmp_path: Path) -> None:
    columns = ["Record ID", "Question", "High-level domain", "Correct Answer"]
    columns += [f"Incorrect Answer {number}" for number in (1, 2, 3)]
    rows = [
        f"r{n},Why?,{field},yes,no,never,maybe" for n, field in enumerate(["Physics", "Biology"])
    ]
    table = tmp_path / "gpqa_diamond.csv"
    table.write_text("\n".join([",".join(columns), *rows]))
    (sample,) = gpqa_diamond(data=str(table), groups="Physics", order="as published").dataset
    assert sample.id == "r0"
    assert sample.target == "A"
    assert len(list(gpqa_diamond(data=str(table), groups=["Physics", "Biology"]).dataset)) == 2
