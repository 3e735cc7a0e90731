"""Reads recorded runs, and recognises copies of the same run.

Runs are read from files and from all files in a folder and its subfolders:

- ``.eval`` and Inspect's ``.json``: the logs of ``trigreason eval`` and ``inspect eval``
- ``.json``: one trace, as ``solve --trace`` writes it and ``GET /v1/traces/ID`` answers
- ``.jsonl``: per line a trace, a gateway's record with its traces, or what ``calibrate`` writes: an
  object with a ``trace`` and what is known of it (``right``, ``target``, ``group``, ``epoch``, and
  ``sample`` or ``question``, the question's id)

Several logs of an unfinished arm can hold the same run: whenever the arm resumes, Inspect begins a
new log with a copy of all runs in the last one. Such a run counts once, as in the log that was
written last. A trace alone does not say whether its answer is right or what it is a copy of.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from trigreason.evaluation.runs import Failed, Run
from trigreason.reasoning import Author, trace_from_json

if TYPE_CHECKING:
    from trigreason.evaluation.arms import Arm
    from trigreason.evaluation.logs import Facts

# Importing Inspect takes a second and only logs need it: functions that read logs import it late.

WANTED = "give Inspect's logs (.eval, .json), traces (.json) or lines of traces (.jsonl)"
KEYS = frozenset({"eval", "schema", "trace", "traces"})
"""Each log, trace, or object with traces has one of these keys; other JSON has none of them."""

OF_SAMPLES = frozenset({"limit", "groups"})
"""Arguments of a task that select questions without changing them."""


class RunKey(NamedTuple):
    """Identifies a run: runs with the same key are copies, and only one of them counts.

    ``asked`` is the same for all runs of an arm: its settings, models, task and seed.
    """

    asked: tuple[str, ...]
    sample: str
    epoch: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedLog:
    """A log with the runs of one arm.

    ``settings`` are the task's arguments that change a question or an answer.
    """

    file: Path
    facts: Facts
    pair: str
    settings: Mapping[str, Any]
    arm: Arm
    models: Mapping[Author, str]

    @property
    def asked(self) -> tuple[str, ...]:
        parts = (self.settings, self.arm.to_args(), self.models)
        texts = (json.dumps(part, sort_keys=True, default=str) for part in parts)
        return (self.facts.task, self.pair, *texts)


class Logged(NamedTuple):
    """A finished or failed run and its log."""

    log: RecordedLog
    key: RunKey
    outcome: Run | Failed


def recorded_log(file: Path) -> RecordedLog | None:
    """The log without its runs; None if it has none, or does not say which arm made them.

    Raises:
        ValueError: the file is no log, or is damaged.
    """
    from trigreason.evaluation.logs import log_arm, log_facts, read_log

    facts, arm, run = log_facts(file), log_arm(file), next(read_log(file), None)
    if arm is None or run is None:
        return None
    given = facts.settings.items()
    return RecordedLog(
        file=file,
        facts=facts,
        pair=facts.pair or run.pair,
        settings={
            name: value for name, value in given if name not in OF_SAMPLES and value is not None
        },
        arm=arm,
        models=run.trace.models,
    )


def each_once(logs: Iterable[RecordedLog]) -> Iterator[Logged]:
    """The outcomes in logs, the log written last first, with each finished run once.

    A failure is included even if another log has the run as finished.

    Raises:
        ValueError: a run in a log cannot be read.
    """
    from trigreason.evaluation.logs import read_outcomes

    finished: set[RunKey] = set()
    for log in sorted(logs, key=lambda each: written(each.file), reverse=True):
        asked = log.asked
        for outcome in read_outcomes(log.file):
            key = RunKey(asked, outcome.sample, outcome.epoch)
            if isinstance(outcome, Failed):
                yield Logged(log, key, outcome)
            elif key not in finished:
                finished.add(key)
                yield Logged(log, key, outcome)


def written(log: Path) -> tuple[int, str]:
    """Sort key of logs: when they were last written, then when they were begun (their names)."""
    return log.stat().st_mtime_ns, log.name


def log_files(places: Sequence[Path]) -> list[Path]:
    """The named logs and the logs in the named folders, the oldest first within a folder.

    Raises:
        ValueError: a place does not exist, or a folder holds no log.
    """
    files: list[Path] = []
    for place in places:
        if not place.exists():
            raise ValueError(f"there is no log or folder {place}")
        logs = _files_in(place)[0] if place.is_dir() else [place]
        if not logs:
            raise ValueError(f"there is no log in the folder {place}")
        files += logs
    return files


def read_runs(places: Sequence[Path]) -> Iterator[Run]:
    """The runs in these files and folders, each once; those of logs come first.

    A run has its question and outcome if these are known.

    Raises:
        ValueError: a file holds no runs, or is damaged; the message names the file and line.
        OSError: a file cannot be read.
    """
    logs: dict[Path, RecordedLog] = {}
    traces: dict[Path, Path] = {}
    for place in places:
        log_paths, trace_paths = _files_in(place)
        found = {file.resolve(): log for file in log_paths if (log := recorded_log(file))}
        if place.is_dir() and not (found or trace_paths):
            raise ValueError(f"{place}: there is no recorded run in this folder; {WANTED}")
        logs |= found
        traces |= {file.resolve(): file for file in trace_paths}
    for logged in each_once(logs.values()):
        if isinstance(logged.outcome, Run):
            yield logged.outcome
    for file in traces.values():
        yield from _traces(file)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Lock a folder against other recordings; the lock ends with the process at the latest.

    Raises:
        ValueError: another recording is running.
        OSError: the folder cannot be made.
    """
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", blocking=False):
            yield
    except Timeout as error:
        raise ValueError(
            f"another comparison or calibration is at work in {folder}; wait for its end, or name "
            "another folder"
        ) from error


def _files_in(place: Path) -> tuple[list[Path], list[Path]]:
    """A folder's logs, the oldest first, and its files of traces; or the one file.

    Hidden files and JSON that is neither a log nor a trace are left out.
    """
    if not place.is_dir():
        return ([place], []) if _is_log(place) else ([], [place])
    logs: list[Path] = []
    others: list[Path] = []
    for file in sorted(place.rglob("*")):
        if "/." in f"/{file.relative_to(place).as_posix()}" or not file.is_file():
            continue  # hidden, or a folder
        match file.suffix:
            case ".eval":
                logs.append(file)
            case ".json" if "eval" in (keys := _keys(_parsed(file))):
                logs.append(file)
            case ".json" if KEYS & keys:
                others.append(file)
            case ".jsonl" if KEYS & _keys_of_lines(file):
                others.append(file)
    return sorted(logs, key=written), others


def _is_log(file: Path) -> bool:
    if not file.exists() and file.suffix != ".json":
        raise ValueError(f"{file}: there is no such file or folder. Check the path.")
    return file.suffix == ".eval" or (file.suffix == ".json" and "eval" in _keys(_parsed(file)))


def _traces(file: Path) -> Iterator[Run]:
    if file.suffix == ".json":
        yield from _runs(_parsed(file), str(file))
    elif file.suffix == ".jsonl":
        yield from _runs_by_line(file)
    else:
        raise ValueError(f"{file}: is no kind of file that runs are read from; {WANTED}")


def _runs_by_line(file: Path) -> Iterator[Run]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                place = f"{file}, line {number}"
                if not line.endswith(b"\n") and not _is_json(line):
                    return  # the writer was stopped within its last line, or is still writing it
                yield from _runs(_json(line, place), place)


def _parsed(file: Path) -> Any:
    return _json(file.read_bytes(), str(file))


def _json(text: bytes, place: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{place}: is no JSON ({error}); {WANTED}") from error


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _keys_of_lines(file: Path) -> frozenset[str]:
    """The keys of the first line; all of KEYS if it is no JSON, so that reading it raises."""
    with file.open("rb") as lines:
        first = lines.readline()
    return _keys(json.loads(first)) if _is_json(first) else KEYS


def _keys(values: Any) -> frozenset[str]:
    return frozenset(values) if isinstance(values, dict) else frozenset()


def _runs(values: Any, place: str) -> list[Run]:
    """The runs in one JSON value: one run, or those of a gateway's record."""
    try:
        if "traces" in _keys(values) and isinstance(values["traces"], dict):
            pair = str(values.get("pair", ""))
            return [
                Run(trace=trace_from_json(trace), sample=name, pair=pair)
                for name, trace in values["traces"].items()
            ]
        record = values if "trace" in _keys(values) else {}
        return [Run(trace=trace_from_json(values), **_fields_beside_trace(record))]
    except ValueError as error:
        raise ValueError(f"{place}: {error}; {WANTED}") from error


def _fields_beside_trace(values: Mapping[str, Any]) -> dict[str, Any]:
    """A run's fields except its trace."""
    names = ("task", "group", "pair", "target")
    fields: dict[str, Any] = {key: str(values[key]) for key in names if values.get(key) is not None}
    sample = values.get("sample", values.get("question"))
    if sample is not None:
        fields["sample"] = str(sample)
    epoch, right = values.get("epoch", 1), values.get("right")
    if not isinstance(epoch, int) or not (right is None or isinstance(right, bool)):
        raise ValueError(f"epoch is a number and right true or false, not {epoch!r} and {right!r}")
    return fields | {"epoch": epoch, "right": right}
