"""Recorded runs from wherever they are kept: Inspect's logs, single traces, lines of traces.

- ``.eval`` and Inspect's ``.json``: the logs of ``trigreason eval`` and ``inspect eval``
- ``.json``: one trace, as ``solve --trace`` writes it and ``GET /v1/traces/ID`` answers
- ``.jsonl``: a trace or a gateway's record with its traces per line, or what ``calibrate`` keeps:
  an object with a ``trace`` and what is known of it (``right``, ``target``, ``group``, ``epoch``,
  and ``sample`` or ``question``, the question's id)

A trace alone does not say whether its answer is right.

While an arm is unfinished several logs can hold one and the same run: each time that it goes on,
Inspect begins a new log with all that the last one had. Such a run counts once.
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trigreason.evaluation.runs import Run
from trigreason.reasoning import trace_from_json

if TYPE_CHECKING:
    from trigreason.evaluation.arms import Arm

SUFFIXES = (".eval", ".json", ".jsonl")
WANTED = "give Inspect's logs (.eval, .json), traces (.json) or lines of traces (.jsonl)"
KEYS = frozenset({"eval", "schema", "trace", "traces"})
"""What an Inspect log, a trace, and an object with one or several have; other JSON has none."""

OF_SAMPLES = frozenset({"limit", "groups"})
"""Arguments of a task that choose some of its questions, and change none."""

Found = tuple[Hashable, Run]
"""A run, and in a log what is equal where two logs hold the same one; None elsewhere."""


def read_runs(paths: Sequence[Path]) -> Iterator[Run]:
    """The runs in these files and folders (with the folders in them), in the order of the names.

    Questions and outcomes come with them as far as they are known. Of a folder the logs come
    first, the newest of them first, since of a run that several logs hold the first one counts:
    the same answer (by its seed and epoch) of the same arm to the same question of a task.

    Raises:
        ValueError: a file holds no runs, or is damaged; it names the file, and the line.
        OSError: a file cannot be read.
    """
    seen: set[Hashable] = set()
    for path in paths:
        for same, run in _read_folder(path) if path.is_dir() else _read(path):
            if same not in seen:
                yield run
            if same is not None:
                seen.add(same)


def _read_folder(folder: Path) -> Iterator[Found]:
    """What a folder holds, but for hidden files and for JSON that is neither a log nor a trace."""
    logs: list[Path] = []
    others: list[Path] = []
    for file in sorted(folder.rglob("*")):
        is_hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
        if is_hidden or file.suffix not in SUFFIXES or not file.is_file():
            continue
        keys = _keys_within(file)
        if file.suffix == ".eval" or (file.suffix == ".json" and "eval" in keys):
            logs.append(file)
        elif KEYS & keys:
            others.append(file)
    found = False
    # the name of a log begins with the moment at which it was begun
    for file in [*sorted(logs, key=lambda log: log.name, reverse=True), *others]:
        for each in _read(file):
            found = True
            yield each
    if not found:
        raise ValueError(f"{folder}: there is no recorded run in this folder; {WANTED}")


def _keys_within(file: Path) -> frozenset[str]:
    if file.suffix == ".json":
        return _keys(_parsed(file))
    return _keys_of_lines(file) if file.suffix == ".jsonl" else KEYS


def _read(file: Path) -> Iterator[Found]:
    if file.suffix == ".eval":
        return _from_log(file)
    if file.suffix == ".jsonl":
        return _from_lines(file)
    if file.suffix == ".json":
        return _from_json(file)
    if not file.exists():
        raise ValueError(f"{file}: there is no such file or folder. Check the path.")
    raise ValueError(f"{file}: is no kind of file that runs are read from; {WANTED}")


def _from_log(file: Path) -> Iterator[Found]:
    # Inspect takes a second to import, which traces alone do not need.
    from trigreason.evaluation.logs import log_arm, log_facts, read_log

    if not file.exists():
        raise ValueError(f"{file}: there is no such file. Check the path.")
    try:
        facts = log_facts(file)
        arm: Arm | None = None
        settings = {
            name: value
            for name, value in facts.settings.items()
            if name not in OF_SAMPLES and value is not None
        }
        asked = facts.task, facts.model, json.dumps(settings, sort_keys=True, default=str)
        for run in read_log(file):
            arm = arm or log_arm(file)
            models = tuple(sorted(run.trace.models.items()))
            yield (*asked, arm, models, run.sample, run.epoch), run
    except ValueError as error:
        place = "" if str(file) in str(error) else f"{file}: "
        raise ValueError(f"{place}{error}") from error


def _from_json(file: Path) -> Iterator[Found]:
    values = _parsed(file)
    if "eval" in _keys(values):
        yield from _from_log(file)
    else:
        yield from ((None, run) for run in _runs(values, str(file)))


def _from_lines(file: Path) -> Iterator[Found]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                place = f"{file}, line {number}"
                if not line.endswith(b"\n") and not _is_json(line):
                    return  # whoever writes the file was ended within its last line, or is at it
                yield from ((None, run) for run in _runs(_json(line, place), place))


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
    known: dict[str, Any] = {}
    for name in ("task", "group", "pair", "target"):
        if values.get(name) is not None:
            known[name] = str(values[name])
    sample = values.get("sample", values.get("question"))
    if sample is not None:
        known["sample"] = str(sample)
    epoch, right = values.get("epoch", 1), values.get("right")
    if not isinstance(epoch, int) or not (right is None or isinstance(right, bool)):
        raise ValueError(f"epoch is a number and right true or false, not {epoch!r} and {right!r}")
    return known | {"epoch": epoch, "right": right}
