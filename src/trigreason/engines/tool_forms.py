"""The forms in which models write calls of tools, and which one a chat template shows."""

from __future__ import annotations

import re
from dataclasses import dataclass

from trigreason.engines.tagged_calls import FENCE, scan_tagged
from trigreason.engines.tool_scans import (
    CALL_BEGIN,
    CALL_END,
    CALLS_BEGIN,
    CALLS_END,
    MISWRITTEN_BEGINS,
    SEPARATOR,
    Scan,
    scan_deepseek,
    scan_llama,
    scan_mistral,
)


@dataclass(frozen=True, slots=True)
class ToolForm:
    """One form of calls.

    Attributes:
        marker: a pattern of what begins a call.
        words: the literal markers, of which a text's end may be a part.
        scan: reads the calls behind a marker.
        special: special tokens in the form, which servers show only if asked to.
    """

    marker: str
    words: tuple[str, ...]
    scan: Scan
    special: tuple[str, ...] = ()


def form_in_template(source: str) -> ToolForm | None:
    """The form that a chat template shows its model; None if it has no tools, or in no known form.

    A template that writes earlier calls but does not name ``tools`` cannot offer any.
    """
    if not re.search(r"\btools\b", source):
        return None
    return next((form for sign, form in _SIGNS if sign in source), None)


def _form(scan: Scan, *words: str, special: tuple[str, ...] = ()) -> ToolForm:
    return ToolForm("|".join(map(re.escape, words)), words, scan, special)


_TOOL_CALL, _SEED_CALL = "<tool_call>", "<seed:tool_call>"
_PYTHON = "<|python_tag|>"
_MISTRAL = "[TOOL_CALLS]"

HERMES = _form(scan_tagged, _TOOL_CALL, _SEED_CALL, FENCE)
LLAMA3 = ToolForm(
    rf"{re.escape(_PYTHON)}|(?:(?m:^)|(?<=[;}}]))[^\S\n]*\{{", (_PYTHON,), scan_llama, (_PYTHON,)
)
MISTRAL = _form(scan_mistral, _MISTRAL, special=(_MISTRAL, "[ARGS]", "[CALL_ID]"))
DEEPSEEK = _form(
    scan_deepseek,
    CALLS_BEGIN,
    *MISWRITTEN_BEGINS,
    special=(CALLS_BEGIN, CALLS_END, CALL_BEGIN, CALL_END, SEPARATOR),
)

_SIGNS = (
    (CALLS_BEGIN, DEEPSEEK),
    (_MISTRAL, MISTRAL),
    (_TOOL_CALL, HERMES),
    (_SEED_CALL, HERMES),
    (_PYTHON, LLAMA3),
    ('{"name": function name, "parameters":', LLAMA3),
)
"""What marks a form in a template, most telling first."""
