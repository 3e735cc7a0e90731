"""Thresholds written into a configuration, with the evidence for them in comments above.

Everything else in the file stays as it is, byte for byte. A pair's thresholds may be a table
``[pairs.NAME.thresholds]``, or an inline table or dotted keys under ``[pairs.NAME]``; a pair
without any gets an inline table. The edited text is parsed and compared with what it should say,
so that any other notation is refused.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from trigreason.reasoning import Thresholds

KEYS = ("n", "tau", "rho", "direction", "k", "m")
"""The thresholds that a calibration chooses; all others are left to the user."""

OTHER_KEYS = ("share", "every", "delta", "entropy", "confidence", "cues", "risk", "risk_model")
"""Those that it chooses for other methods than TrigReason. Values that are the defaults are left
out of a profile, and old ones are taken out."""

MARK = "#: "
"""The beginning of a line of evidence, by which the next calibration finds and removes it."""

_KEY = re.compile(r"\s*(?P<key>[A-Za-z0-9_-]+(?:\s*\.\s*[A-Za-z0-9_-]+)*)\s*=")
_STRINGS = re.compile(r"""(?:"(?:\\.|[^"\\])*")|(?:'[^']*')""")


def chosen_keys(thresholds: Thresholds) -> list[str]:
    """The names of the thresholds that are written into a profile."""
    default = Thresholds()
    others = (key for key in OTHER_KEYS if getattr(thresholds, key) != getattr(default, key))
    return [*KEYS, *others]


def profile_toml(thresholds: Thresholds, evidence: Sequence[str]) -> str:
    """A table of thresholds by itself, as in ``pair.toml`` of the bundled pair."""
    values = [f"{key} = {value}" for key, value in _chosen(thresholds)]
    return "\n".join([*_comments(evidence), "[thresholds]", *values]) + "\n"


def with_profile(text: str, pair: str, thresholds: Thresholds, evidence: Sequence[str]) -> str:
    """The text of a configuration in which the pair has these thresholds.

    Raises:
        ValueError: the pair's table is not written in a way that can be changed safely.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    edited = newline.join(_edited(text.split(newline), pair, thresholds, evidence))
    try:
        is_safe = _parsed(edited) == _wanted(text, pair, thresholds)
    except tomllib.TOMLDecodeError:
        is_safe = False
    if not is_safe:
        lines = ", ".join(f"{key} = {value}" for key, value in _chosen(thresholds))
        raise ValueError(
            f"the thresholds of {pair} are not written in a way that can be changed here; "
            f"write them yourself: {lines}"
        )
    return edited


class _Table(NamedTuple):
    """A table of the file: its path, and the range of its lines after the header."""

    path: tuple[str, ...]
    begin: int
    end: int


def _edited(
    lines: list[str], pair: str, thresholds: Thresholds, evidence: Sequence[str]
) -> list[str]:
    tables = {each.path: each for each in _tables(lines)}
    separate = tables.get(("pairs", pair, "thresholds"))
    if separate is not None:
        return _with_keys(lines, separate, "", thresholds, evidence)
    table = tables.get(("pairs", pair))
    if table is None:
        return lines
    for index in range(table.begin, table.end):
        key = _key(lines[index])
        if key == "thresholds":
            return _with_inline(lines, index, thresholds, evidence)
        if key is not None and key.startswith("thresholds."):
            return _with_keys(lines, table, "thresholds.", thresholds, evidence)
    new = [*_comments(evidence), f"thresholds = {_inline(dict(_chosen(thresholds)))}"]
    end = table.end
    while end > table.begin and not _has_content(lines[end - 1]):
        end -= 1
    return [*lines[:end], *new, *lines[end:]]


def _tables(lines: Sequence[str]) -> Iterator[_Table]:
    headers = [index for index, line in enumerate(lines) if line.lstrip().startswith("[")]
    for index, following in zip(headers, [*headers[1:], len(lines)], strict=True):
        if path := _header(lines[index]):
            yield _Table(path, index + 1, following)


def _header(line: str) -> tuple[str, ...] | None:
    """The path of a table's header; None for another line that begins with a bracket."""
    try:
        values: Any = tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return None
    path = []
    while isinstance(values, dict) and values:
        ((name, values),) = values.items()
        path.append(name)
    return tuple(path) if values == {} else None


def _with_keys(
    lines: list[str],
    table: _Table,
    prefix: str,
    thresholds: Thresholds,
    evidence: Sequence[str],
) -> list[str]:
    """The lines with a table's chosen keys, one per line, in place of the old ones."""
    ours = {prefix + key for key in (*KEYS, *OTHER_KEYS)}
    body = lines[table.begin : table.end]
    old = [index for index, line in enumerate(body) if _key(line) in ours or _is_evidence(line)]
    place = old[0] if old else 0
    values = [f"{prefix}{key} = {value}" for key, value in _chosen(thresholds)]
    new = [*_comments(evidence), *values]
    kept = [line for index, line in enumerate(body) if index not in old]
    return [*lines[: table.begin], *kept[:place], *new, *kept[place:], *lines[table.end :]]


def _with_inline(
    lines: list[str], index: int, thresholds: Thresholds, evidence: Sequence[str]
) -> list[str]:
    """The lines with an inline table's chosen keys changed, and everything else kept."""
    before, _, rest = lines[index].partition("{")
    end = _closing(rest)
    if end is None:
        return lines
    try:
        old = tomllib.loads(f"table = {{{rest[:end]}}}")["table"]
    except tomllib.TOMLDecodeError:
        return lines
    values = dict(_chosen(thresholds))
    values |= {key: _toml(value) for key, value in old.items() if key not in (*KEYS, *OTHER_KEYS)}
    begin = index
    while begin and _is_evidence(lines[begin - 1]):
        begin -= 1
    changed = f"{before}{_inline(values)}{rest[end + 1 :]}"
    return [*lines[:begin], *_comments(evidence), changed, *lines[index + 1 :]]


def _closing(rest: str) -> int | None:
    """Where the brace that closes the table is; braces in strings do not count."""
    plain = _STRINGS.sub(lambda found: " " * len(found[0]), rest)
    is_open = 1
    for place, char in enumerate(plain):
        is_open += (char == "{") - (char == "}")
        if not is_open:
            return place
    return None


def _key(line: str) -> str | None:
    """The key that a line assigns to, without white space; None for any other line."""
    found = _KEY.match(line)
    return "".join(found["key"].split()) if found else None


def _comments(evidence: Sequence[str]) -> Iterator[str]:
    """Each line of evidence as a comment; characters that cannot be printed become spaces."""
    for line in evidence:
        yield MARK + "".join(char if char.isprintable() else " " for char in line)


def _is_evidence(line: str) -> bool:
    return line.startswith(MARK.rstrip())


def _has_content(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _chosen(thresholds: Thresholds) -> Iterator[tuple[str, str]]:
    """The keys that a calibration chooses, and their values in TOML."""
    values = thresholds.to_json()
    for key in chosen_keys(thresholds):
        yield key, _toml(values[key])


def _inline(values: Mapping[str, str]) -> str:
    return "{ " + ", ".join(f"{key} = {value}" for key, value in values.items()) + " }"


def _toml(value: Any) -> str:
    """A value of a threshold in TOML: text, a number, or a list or table of values."""
    if isinstance(value, dict):
        return _inline({key: _toml(each) for key, each in value.items()})
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def _wanted(text: str, pair: str, thresholds: Thresholds) -> Any:
    """The values that the edited text must have: the old ones with only the chosen keys changed."""
    values = _parsed(text)
    table = values.get("pairs", {}).get(pair)
    if not isinstance(table, dict) or not isinstance(table.get("thresholds", {}), dict):
        return None
    chosen = {key: thresholds.to_json()[key] for key in chosen_keys(thresholds)}
    old = table.get("thresholds", {})
    kept = {key: value for key, value in old.items() if key not in OTHER_KEYS}
    table["thresholds"] = {**kept, **chosen}
    return values


def _parsed(text: str) -> Any:
    return tomllib.loads(text)
