"""What a folder of logs already holds of a plan's arms.

An arm has several logs while it is unfinished: each time that it goes on, Inspect begins a new log
with all that the last one had. Finished runs are told apart by question and epoch.
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
"""Where a log's metadata say which models a pair's name stood for."""


@dataclass(frozen=True, slots=True)
class KeptLog:
    """A log of one arm.

    ``done`` are the runs that are finished in it, ``failed`` those that failed, and why.
    ``was_interrupted`` says whether Ctrl-C ended it.
    """

    path: Path
    done: frozenset[Key]
    failed: Mapping[Key, str]
    was_interrupted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """By what a log is known to belong to an arm: these are equal in all its logs.

    ``models`` has to be, too: under the pair's name in a configuration there may be others now.
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
        """Raise ValueError where a log of the arm is one of other models."""
        told = (spec.metadata or {}).get(MODELS, self.models)
        if told != self.models:
            was = ", ".join(f"{author.upper()} {model}" for author, model in told.items())
            raise ValueError(
                f"{path} is of the same pair with other models ({was}); name another folder"
            )


def kept_logs(folder: Path, arms: Sequence[Identity]) -> list[list[KeptLog]]:
    """The logs of each of the arms in a folder, what was written first of them first.

    Raises:
        ValueError: a log cannot be read.
    """
    found: list[list[KeptLog]] = [[] for _ in arms]
    for info in list_eval_logs(str(folder), recursive=False) if folder.exists() else []:
        log = _header(info)
        for identity, logs in zip(arms, found, strict=True):
            if identity.is_of(log.eval):
                identity.check(log.eval, _path(info))
                logs.append(_kept(info, log.status))
    for logs in found:
        logs.sort(key=lambda log: written(log.path))
    return found


def done_in(logs: Sequence[KeptLog]) -> frozenset[Key]:
    """The runs that are finished in one of the logs or another."""
    return frozenset[Key]().union(*(log.done for log in logs))


class KeptRuns(Sequence[Run]):
    """The wanted runs as far as they are finished, in the order wanted, each from its last log.

    They are read anew each time that they are gone through: the traces of a comparison at full size
    are gigabytes.
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
            return [self[each] for each in range(*index.indices(len(self)))]
        key, path = self._places[index]
        with closing(LogReader(path)) as reader:
            return reader.run(*key)


def put_fullest_last(logs: Sequence[KeptLog], wanted: Sequence[Key]) -> None:
    """Inspect goes on from the log that was written last: let it be one that has all there is.

    A log lacks runs of another where first more answers and then more questions were asked for.
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
    """Write the wanted runs of other logs into this one; killed meanwhile, it is as it was."""
    whole = read_eval_log(str(log.path))
    samples = {(str(each.id), each.epoch): each for each in whole.samples or []}
    missing = wanted - log.done
    for other in reversed(others):
        for sample, epoch in other.done & missing:
            found = read_eval_log_sample(str(other.path), id=sample, epoch=epoch)
            samples[sample, epoch] = found
        missing -= other.done
    whole.samples = list(samples.values())
    with TemporaryDirectory(dir=log.path.parent) as folder:
        file = Path(folder) / log.path.name
        write_eval_log(whole, str(file))
        file.replace(log.path)


def discard_superseded(logs: Sequence[KeptLog]) -> None:
    """Remove the logs that hold no finished run that the last one lacks."""
    for log in logs[:-1]:
        if log.done <= logs[-1].done:
            log.path.unlink(missing_ok=True)


def _header(info: EvalLogInfo) -> EvalLog:
    try:
        return read_eval_log(info, header_only=True)
    except Exception as error:  # which one depends on where the file was cut off
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
