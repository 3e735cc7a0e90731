"""The logs in a folder that belong to a plan's arms, and the runs in them.

An unfinished arm can have several logs: whenever it resumes, Inspect begins a new log with a copy
of all runs in the last one. A finished run is identified by question and epoch.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, overload

from inspect_ai.log import (
    EvalLog,
    EvalLogInfo,
    EvalSpec,
    list_eval_logs,
    read_eval_log,
    read_eval_log_sample,
    read_eval_log_sample_summaries,
    write_eval_log,
)

from trigreason.evaluation.logs import LogReader, why_failed
from trigreason.evaluation.recorded import written
from trigreason.evaluation.runs import Run

Key = tuple[str, int]
"""A question's id, and an epoch."""

MODELS = "models"
"""The key in a log's metadata for the models of the pair."""


@dataclass(frozen=True, slots=True)
class KeptLog:
    """A log of one arm.

    ``done`` holds its finished runs, ``failed`` its failed runs with the reasons.
    ``was_interrupted`` says whether Ctrl-C ended it.
    """

    path: Path
    done: frozenset[Key]
    failed: Mapping[Key, str]
    was_interrupted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What identifies an arm's logs: task, settings, model and arguments are equal in all of them.

    ``models`` must be equal, too: the configuration may have changed the models of the pair.
    """

    task: str
    settings: Mapping[str, Any]
    model: str
    args: Mapping[str, Any]
    models: Mapping[str, str]

    def is_of(self, spec: EvalSpec) -> bool:
        return (
            spec.task_registry_name == self.task
            and spec.task_args_passed == self.settings
            and spec.model == self.model
            and spec.model_args == self.args
        )

    def check(self, spec: EvalSpec, path: Path) -> None:
        """Raise ValueError if this log of the arm was made with other models."""
        logged = (spec.metadata or {}).get(MODELS, self.models)
        if logged != self.models:
            was = ", ".join(f"{author.upper()} {model}" for author, model in logged.items())
            raise ValueError(
                f"{path} is of the same pair with other models ({was}); name another folder"
            )


def kept_logs(folder: Path, arms: Sequence[Identity]) -> list[list[KeptLog]]:
    """The logs of each arm in a folder, ordered by when they were last written.

    Raises:
        ValueError: a log cannot be read.
    """
    by_arm: list[list[KeptLog]] = [[] for _ in arms]
    for info in list_eval_logs(str(folder), recursive=False) if folder.exists() else []:
        log = _header(info)
        for identity, logs in zip(arms, by_arm, strict=True):
            if identity.is_of(log.eval):
                identity.check(log.eval, _path(info))
                logs.append(_kept(info, log.status))
    for logs in by_arm:
        logs.sort(key=lambda log: written(log.path))
    return by_arm


def done_in(logs: Sequence[KeptLog]) -> frozenset[Key]:
    """The runs that are finished in at least one of the logs."""
    return frozenset[Key]().union(*(log.done for log in logs))


class KeptRuns(Sequence[Run]):
    """Those of the wanted runs that are finished, in the wanted order, each from its last log.

    Every iteration reads them again: the traces of a full-size comparison are gigabytes.
    """

    def __init__(self, logs: Sequence[KeptLog], wanted: Sequence[Key]) -> None:
        last = {key: log.path for log in logs for key in log.done}
        self._places = [(key, last[key]) for key in wanted if key in last]

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Run]:
        with ExitStack() as stack:
            readers: dict[Path, LogReader] = {}
            for key, path in self._places:
                if path not in readers:
                    readers[path] = stack.enter_context(closing(LogReader(path)))
                yield readers[path].run(*key)

    @overload
    def __getitem__(self, index: int) -> Run: ...
    @overload
    def __getitem__(self, index: slice) -> list[Run]: ...
    def __getitem__(self, index: int | slice) -> Run | list[Run]:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        key, path = self._places[index]
        with closing(LogReader(path)) as reader:
            return reader.run(*key)


def put_fullest_last(logs: Sequence[KeptLog], wanted: Sequence[Key]) -> None:
    """Make the log written last one that has all runs, because Inspect resumes from that log.

    A log can lack runs of another after one call for more epochs and one for more questions.
    """
    if not logs:
        return
    keys = frozenset(wanted)
    fullest = max(reversed(logs), key=lambda log: len(log.done & keys))
    if (done_in(logs) & keys) - fullest.done:
        _add_runs(fullest, logs, keys)
    elif fullest is not logs[-1]:
        os.utime(fullest.path)


def _add_runs(log: KeptLog, others: Sequence[KeptLog], wanted: frozenset[Key]) -> None:
    """Copy the wanted runs of other logs into this one; a kill meanwhile leaves it as it was."""
    whole = read_eval_log(str(log.path))
    samples = {(str(each.id), each.epoch): each for each in whole.samples or []}
    missing = wanted - log.done
    for other in reversed(others):
        for sample, epoch in other.done & missing:
            samples[sample, epoch] = read_eval_log_sample(str(other.path), id=sample, epoch=epoch)
        missing -= other.done
    whole.samples = list(samples.values())
    with TemporaryDirectory(dir=log.path.parent) as folder:
        file = Path(folder) / log.path.name
        write_eval_log(whole, str(file))
        file.replace(log.path)


def discard_superseded(logs: Sequence[KeptLog]) -> None:
    """Delete the logs whose finished runs are all in the last log."""
    for log in logs[:-1]:
        if log.done <= logs[-1].done:
            log.path.unlink(missing_ok=True)


def _header(info: EvalLogInfo) -> EvalLog:
    try:
        return read_eval_log(info, header_only=True)
    except Exception as error:  # its type depends on where the file was cut off
        raise ValueError(
            f"{_path(info)} cannot be read, it may be cut off ({type(error).__name__}: {error}); "
            "move it away, and what was in it is run again"
        ) from error


def _kept(info: EvalLogInfo, status: str) -> KeptLog:
    summaries = read_eval_log_sample_summaries(info)
    return KeptLog(
        path=_path(info),
        done=frozenset((str(each.id), each.epoch) for each in summaries if each.error is None),
        failed={
            (str(each.id), each.epoch): reason
            for each in summaries
            if (reason := why_failed(each.error)) is not None
        },
        was_interrupted=status == "cancelled",
    )


def _path(info: EvalLogInfo) -> Path:
    return Path(info.name.removeprefix("file://"))
