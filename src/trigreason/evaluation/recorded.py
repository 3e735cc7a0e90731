"""Which runs are recorded, and which of them are one and the same.

Runs are read from files, and from all files in a folder and in the folders in it:

- ``.eval`` and Inspect's ``.json``: the logs of ``trigreason eval`` and ``inspect eval``
- ``.json``: one trace, as ``solve --trace`` writes it and ``GET /v1/traces/ID`` answers
- ``.jsonl``: a trace or a gateway's record with its traces per line, or what ``calibrate`` keeps:
  an object with a ``trace`` and what is known of it (``right``, ``target``, ``group``, ``epoch``,
  and ``sample`` or ``question``, the question's id)

While an arm is unfinished several logs can hold one run: each time that it goes on, Inspect begins
a new log with all that the last one had. Such a run counts once, as the log that was written last
has it. A trace alone says neither whether its answer is right nor what it is a copy of.
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

# Inspect takes a second to import, which traces alone do not need: what reads logs imports it late.

WANTED = "give Inspect's logs (.eval, .json), traces (.json) or lines of traces (.jsonl)"
KEYS = frozenset({"eval", "schema", "trace", "traces"})
"""What an Inspect log, a trace, and an object with one or several have; other JSON has none."""

OF_SAMPLES = frozenset({"limit", "groups"})
"""Arguments of a task that choose some of its questions, and change none."""


class RunKey(NamedTuple):
    """What makes a run this one: two with the same key are copies, and one of them counts.

    ``asked`` is what all runs of an arm have in common: how was answered, by which models, to the
    questions of which task, with which seed.
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
        told = (json.dumps(part, sort_keys=True, default=str) for part in parts)
        return (self.facts.task, self.pair, *told)


class Logged(NamedTuple):
    """A run that is finished, or one that failed, and in which log."""

    log: RecordedLog
    key: RunKey
    outcome: Run | Failed


def recorded_log(file: Path) -> RecordedLog | None:
    """The log without its runs; None where it has none, or does not tell how they were made.

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
            name: each for name, each in given if name not in OF_SAMPLES and each is not None
        },
        arm=arm,
        models=run.trace.models,
    )


def each_once(logs: Iterable[RecordedLog]) -> Iterator[Logged]:
    """What logs hold, those written last first, with each finished run once.

    A failure comes whether or not another log has the run.

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
    """Sorts logs by when they were written last, and then by when they were begun (their names)."""
    return log.stat().st_mtime_ns, log.name


def log_files(places: Sequence[Path]) -> list[Path]:
    """The logs that are named, and those in the folders that are, the oldest first in each.

    Raises:
        ValueError: a place is not there, or a folder holds no log.
    """
    files: list[Path] = []
    for place in places:
        if not place.exists():
            raise ValueError(f"there is no log or folder {place}")
        found = _found(place)[0] if place.is_dir() else [place]
        if not found:
            raise ValueError(f"there is no log in the folder {place}")
        files += found
    return files


def read_runs(places: Sequence[Path]) -> Iterator[Run]:
    """The runs in these files and folders, each once; those of logs come first.

    Questions and outcomes come with them as far as they are known.

    Raises:
        ValueError: a file holds no runs, or is damaged; it names the file, and the line.
        OSError: a file cannot be read.
    """
    logs: dict[Path, RecordedLog] = {}
    others: dict[Path, Path] = {}
    for place in places:
        within, beside = _found(place)
        found = {file.resolve(): log for file in within if (log := recorded_log(file))}
        if place.is_dir() and not (found or beside):
            raise ValueError(f"{place}: there is no recorded run in this folder; {WANTED}")
        logs |= found
        others |= {file.resolve(): file for file in beside}
    for each in each_once(logs.values()):
        if isinstance(each.outcome, Run):
            yield each.outcome
    for file in others.values():
        yield from _traces(file)


@contextmanager
def alone_in(folder: Path, work: str) -> Iterator[None]:
    """Keep others from recording in a folder; the lock ends with the process at the latest.

    Raises:
        ValueError: one is in there, at the same kind of ``work``.
        OSError: the folder cannot be made.
    """
    from filelock import FileLock, Timeout

    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", blocking=False):
            yield
    except Timeout as error:
        raise ValueError(
            f"another {work} is at work in {folder}; wait for its end, or name another folder"
        ) from error


def _found(place: Path) -> tuple[list[Path], list[Path]]:
    """The logs in a folder, the oldest first, and its other files of runs; or the one file.

    Hidden files are left out, and so is JSON that is neither a log nor a trace.
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
        yield from _of_lines(file)
    else:
        raise ValueError(f"{file}: is no kind of file that runs are read from; {WANTED}")


def _of_lines(file: Path) -> Iterator[Run]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                place = f"{file}, line {number}"
                if not line.endswith(b"\n") and not _is_json(line):
                    return  # whoever writes the file was ended within its last line, or is at it
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
    """The keys of the first line; where it is no JSON those of runs, so that it is told of."""
    with file.open("rb") as lines:
        first = lines.readline()
    return _keys(json.loads(first)) if _is_json(first) else KEYS


def _keys(values: Any) -> frozenset[str]:
    return frozenset(values) if isinstance(values, dict) else frozenset()


def _runs(values: Any, place: str) -> list[Run]:
    """The run, or in a gateway's record the runs, that one JSON value holds."""
    try:
        if "traces" in _keys(values) and isinstance(values["traces"], dict):
            pair = str(values.get("pair", ""))
            return [
                Run(trace=trace_from_json(trace), sample=name, pair=pair)
                for name, trace in values["traces"].items()
            ]
        known = values if "trace" in _keys(values) else {}
        return [Run(trace=trace_from_json(values), **_what_is_known(known))]
    except ValueError as error:
        raise ValueError(f"{place}: {error}; {WANTED}") from error


def _what_is_known(values: Mapping[str, Any]) -> dict[str, Any]:
    """A run's fields beside its trace."""
    names = ("task", "group", "pair", "target")
    known: dict[str, Any] = {key: str(values[key]) for key in names if values.get(key) is not None}
    sample = values.get("sample", values.get("question"))
    if sample is not None:
        known["sample"] = str(sample)
    epoch, right = values.get("epoch", 1), values.get("right")
    if not isinstance(epoch, int) or not (right is None or isinstance(right, bool)):
        raise ValueError(f"epoch is a number and right true or false, not {epoch!r} and {right!r}")
    return known | {"epoch": epoch, "right": right}
