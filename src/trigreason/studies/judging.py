"""A judge's scores of the steps of a recorded trajectory (sections 2.1 and A of the paper)."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from trigreason.engines.base import Engine, Sampling
from trigreason.evaluation.lanes import Lanes
from trigreason.evaluation.runs import Run
from trigreason.pairs import Pair
from trigreason.reasoning import Author, Message, Thresholds, Trace
from trigreason.running.asking import judge_request
from trigreason.running.deadline import Deadline
from trigreason.running.judging import ask_for_score
from trigreason.running.requests import Requests
from trigreason.running.retrying import ModelAway
from trigreason.studies.auc import Auc, auc
from trigreason.studies.checking import checked_steps


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A question, and the steps of the thinking that answers it."""

    messages: tuple[Message, ...]
    steps: tuple[str, ...]

    @classmethod
    def of(cls, trace: Trace) -> Trajectory:
        """The standing steps of a run; one of white space alone is added to the step before it."""
        steps: list[str] = []
        for step in trace.standing:
            if step.text.strip() or not steps:
                steps.append(step.text)
            else:
                steps[-1] += step.text
        return cls(trace.messages, tuple(steps))


async def score_steps(
    pair: Pair, trajectory: Trajectory, judge: Author = Author.LRM
) -> list[float | None]:
    """The score (0 to 9) that a model of the pair gives each step, after reading those before it.

    The model is asked as in SpecReason, with the pair's prompt. None where it wrote no digit.

    Raises:
        EngineError: the model failed for good.
    """
    requests = Requests(pair, Trace("specreason", Thresholds(), (), {}), Deadline())
    scores: list[float | None] = []
    thinking, tags = "", pair.engine(judge).tags
    for step in trajectory.steps:
        prefix = pair.judge.prefix(trajectory.messages, thinking, step, tags)
        try:
            request = judge_request(prefix, Sampling())
            scores.append(await ask_for_score(requests, judge, request))
        except ModelAway as away:
            raise away.error from away
        thinking += step
    return scores


@dataclass(frozen=True, slots=True)
class JudgeQuality:
    """How well SpecReason's scores tell wrong from right; None with too few of either.

    An AUC is the chance that the wrong one of two has the lower score; .5 is a coin.

    Attributes:
        steps: by the step, where the checkers know (the bundled families).
        runs: by the run, whose score is the mean over its steps, kept or not.
    """

    steps: Auc | None
    runs: Auc | None

    def __str__(self) -> str:
        found = {"step": self.steps, "run": self.runs}
        told = [
            f"a wrong {unit} has the lower score with a chance of {auc.value:.2f} ({auc.low:.2f} "
            f"to {auc.high:.2f}; {auc.wrong:,} wrong, {auc.right:,} right)"
            for unit, auc in found.items()
            if auc is not None
        ]
        return "; ".join(told) or "too few scored steps are known to be right or wrong"


def judge_quality(runs: Sequence[Run], seed: int = 0) -> JudgeQuality:
    """The quality of the judge in SpecReason's runs; other runs have no scores."""
    of_steps, of_runs = _Scores(), _Scores()
    for run in runs:
        scores = [step.score for step in run.trace.steps]
        for score, right in zip(scores, checked_steps(run), strict=True):
            of_steps.add(run, score, right)
        given = [score for score in scores if score is not None]
        of_runs.add(run, fmean(given) if given else None, run.right)
    return JudgeQuality(of_steps.auc(seed), of_runs.auc(seed))


class _Scores:
    """Scores with what they are of: right or not, the question, and its group."""

    def __init__(self) -> None:
        self._known: list[tuple[float, bool, str, str]] = []

    def add(self, run: Run, score: float | None, right: bool | None) -> None:
        if score is not None and right is not None:
            self._known.append((-score, not right, run.question, run.group))

    def auc(self, seed: int) -> Auc | None:
        if not self._known:
            return None
        scores, wrong, questions, groups = zip(*self._known, strict=True)
        return auc(scores, wrong, questions, groups, seed=seed)


class Judgements:
    """Scores on disk, one line per trajectory and judge, so that no judge is asked twice.

    The key is a trajectory's text and the judge's model, prompt and way of scoring. A line that a
    crash cut off is ignored, and its trajectory judged again.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: dict[str, list[float | None]] = {}
        text = file.read_text(encoding="utf-8") if file.exists() else ""
        for line in text.splitlines():
            self._read(line)
        self._torn = bool(text) and not text.endswith("\n")

    def get(self, key: str) -> list[float | None] | None:
        return self._known.get(key)

    def put(self, key: str, judge: str, scores: list[float | None]) -> None:
        self._known[key] = scores
        self._file.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"key": key, "judge": judge, "scores": scores})
        with self._file.open("a", encoding="utf-8") as out:
            out.write(f"\n{line}\n" if self._torn else f"{line}\n")
        self._torn = False

    def _read(self, line: str) -> None:
        try:
            kept = json.loads(line)
            self._known[kept["key"]] = kept["scores"]
        except (ValueError, KeyError, TypeError):
            return


async def judge_all(
    lanes: Lanes,
    trajectories: Sequence[Trajectory],
    kept: Judgements,
    judge: Author = Author.LRM,
    told: Callable[[int], None] = lambda done: None,
) -> list[list[float | None]]:
    """The scores of each trajectory; as many are judged at once as the pair serves.

    ``told`` is called with how many are done.

    Raises:
        EngineError: the judge failed for good; the scores it gave before are kept.
    """
    done = 0

    async def one(trajectory: Trajectory) -> list[float | None]:
        nonlocal done
        key = _key(lanes.pair, lanes.pair.engine(judge), trajectory)
        scores = kept.get(key)
        if scores is None:
            async with lanes.lane() as pair:
                scores = await score_steps(pair, trajectory, judge)
            kept.put(key, lanes.pair.engine(judge).model, scores)
        done += 1
        told(done)
        return scores

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one(trajectory)) for trajectory in trajectories]
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return [task.result() for task in tasks]


def _key(pair: Pair, engine: Engine, trajectory: Trajectory) -> str:
    judge = [engine.model, pair.judge.question, pair.judge.opening, pair.judge.scoring]
    parts = [judge, list(trajectory.messages), list(trajectory.steps)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
