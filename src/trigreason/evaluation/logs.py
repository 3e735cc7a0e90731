"""Reads runs from Inspect's logs one by one, for our own tasks and for other people's.

Inspect's reader takes some 10 ms per sample, and longer for a part of one. A log in the ``.eval``
format is a zip archive with one JSON file per sample, so samples are read from the archive.
Inspect reads only headers.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile

from inspect_ai.log import EvalLog, EvalSample, read_eval_log

from trigreason.evaluation.answering import OF_THE_PAIR
from trigreason.evaluation.arms import ARGUMENTS, Arm
from trigreason.evaluation.outputs import ARM, PROVIDER, TRACE
from trigreason.evaluation.runs import Failed, Run
from trigreason.evaluation.work import GROUP
from trigreason.reasoning import trace_from_json

Sample = Mapping[str, Any]
"""A sample's JSON object in a log."""

_OF_RUN = {"id", "epoch", "target", "metadata", "output", "scores", "error"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a log's header says, whether or not the log is finished.

    Attributes:
        task: the task's name, without the package that it comes from.
        model: the model, such as ``trigreason/bundled``.
        pair: the pair's name; empty if the model is no pair.
        args: the model's arguments as they were given.
        settings: the task's arguments (data, limit, groups, seed), including the defaults.
        epochs: answers to each question.
        status: ``success``, ``error``, ``cancelled``, or ``started`` if the log has no end.
        created: when, in ISO 8601.
    """

    task: str
    model: str
    pair: str
    args: Mapping[str, Any]
    settings: Mapping[str, Any]
    epochs: int
    status: str
    created: str


def log_facts(file: Path) -> Facts:
    """What the header of a log says. Raises ValueError if the file is no log."""
    log = _header(file)
    spec = log.eval
    provider, _, name = spec.model.partition("/")
    return Facts(
        task=_task_of(log),
        model=spec.model,
        pair=name if provider == PROVIDER else "",
        args=spec.model_args,
        settings=spec.task_args,
        epochs=spec.config.epochs or 1,
        status=log.status,
        created=spec.created,
    )


def log_arm(file: Path) -> Arm | None:
    """The arm that made a log's runs; None if the log does not name all of its settings.

    Raises:
        ValueError: the file is no log.
    """
    for sample in _samples(file):
        settings = ((sample.get("output") or {}).get("metadata") or {}).get(ARM)
        if settings is not None:
            return Arm().with_args(settings)
    args = {name: value for name, value in log_facts(file).args.items() if name not in OF_THE_PAIR}
    return Arm().with_args(args) if set(Arm().to_args()) <= set(args) <= ARGUMENTS else None


def read_outcomes(file: Path) -> Iterator[Run | Failed]:
    """The finished and failed runs in a log, in its order, without the interrupted ones.

    The task's first score says whether a run is right. Other people's scores may have any value:
    ``right`` is None unless it is C, I, N, 0 or 1.

    Raises:
        ValueError: the file is no log, or a trace in it cannot be read.
    """
    task = _task_of(_header(file))
    for sample in _samples(file):
        try:
            outcome = _outcome(sample, task)
        except ValueError as error:
            raise ValueError(f"{file}: {sample['id']}, epoch {sample['epoch']}: {error}") from error
        if outcome is not None:
            yield outcome


def read_log(file: Path) -> Iterator[Run]:
    """The finished runs among :func:`read_outcomes`."""
    return (outcome for outcome in read_outcomes(file) if isinstance(outcome, Run))


class LogReader:
    """Reads single runs of an ``.eval`` log by question and epoch; must be closed.

    Raises:
        ValueError: the file is no log in the ``.eval`` format.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._task = _task_of(_header(file))
        try:
            self._archive = ZipFile(file)
        except (OSError, BadZipFile) as error:
            raise ValueError(f"{file} is no log of Inspect ({error})") from error

    def run(self, sample: str, epoch: int) -> Run:
        """One finished run. Raises ValueError if it is missing or cannot be read."""
        try:
            values = json.loads(self._archive.read(f"samples/{sample}_epoch_{epoch}.json"))
            outcome = _outcome(values, self._task)
        except (KeyError, OSError, BadZipFile, ValueError) as error:
            raise ValueError(f"{self._file}: {sample}, epoch {epoch}: {error}") from error
        if not isinstance(outcome, Run):
            raise ValueError(f"{self._file}: {sample}, epoch {epoch}, is no finished run")
        return outcome

    def close(self) -> None:
        self._archive.close()


def outcome_of(sample: EvalSample, task: str = "") -> Run | Failed | None:
    """A sample's run or failure; None if it was interrupted or no pair answered it."""
    return _outcome(sample.model_dump(include=_OF_RUN), task)


def why_failed(error: str | None) -> str | None:
    """The message of a sample's logged error, in one line.

    Inspect logs an exception as its ``repr``. None if there is no error, or if the sample was only
    cancelled at the end of the program.
    """
    if error is None or error.startswith("CancelledError("):
        return None
    call = re.fullmatch(r"\w+\((.*?),?\)", error.strip(), re.DOTALL)
    try:
        message = ast.literal_eval(call.group(1)) if call else error
    except (SyntaxError, ValueError):
        message = error
    return " ".join(str(message).split()) or error


def _outcome(sample: Sample, task: str) -> Run | Failed | None:
    name, epoch = str(sample["id"]), sample["epoch"]
    if error := sample.get("error"):
        reason = why_failed(error["message"])
        return None if reason is None else Failed(name, epoch, reason)
    output, metadata = sample.get("output") or {}, sample.get("metadata") or {}
    trace = metadata.get(TRACE) or (output.get("metadata") or {}).get(TRACE)
    if trace is None:
        return None
    return Run(
        trace=trace_from_json(trace),
        task=task,
        group=str(metadata.get(GROUP, "")),
        sample=name,
        epoch=epoch,
        target=_target(sample["target"]),
        right=_right(sample.get("scores") or {}),
        pair=str(output.get("model", "")).partition("/")[2],
    )


def _target(target: str | list[str]) -> str | None:
    if isinstance(target, str):
        return target or None
    return target[0] if len(target) == 1 else None


_IS_RIGHT: dict[Any, bool] = {"C": True, "I": False, "N": False, 1: True, 0: False}


def _right(scores: Mapping[str, Mapping[str, Any]]) -> bool | None:
    """Whether the first of the task's scores is that of a right answer; None if unknown."""
    value = next((score["value"] for score in scores.values()), None)
    return None if isinstance(value, dict | list) else _IS_RIGHT.get(value)


def _task_of(log: EvalLog) -> str:
    return log.eval.task.rpartition("/")[2]


def _header(file: Path) -> EvalLog:
    try:
        return read_eval_log(str(file), header_only=True)
    except Exception as error:
        # the error's type depends on the format and on what is in the file
        message = (
            f"{file} is no log of Inspect, or a damaged one; give .eval or .json files of its logs"
        )
        raise ValueError(message) from error


def _samples(file: Path) -> Iterator[Sample]:
    try:
        if file.suffix == ".json":
            yield from json.loads(file.read_bytes()).get("samples") or []
            return
        with ZipFile(file) as archive:
            # a sample that was written twice has two entries of one name; the last one counts
            for name in dict.fromkeys(archive.namelist()):
                if name.startswith("samples/"):
                    yield json.loads(archive.read(name))
    except (OSError, BadZipFile, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{file} is no log of Inspect ({error})") from error
