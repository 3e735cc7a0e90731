"""The forms in which models write calls of tools, and which one a chat template shows."""

from __future__ import annotations

import re
from dataclasses import dataclass

from trigreason.engines.tool_scans import (
    CALL_BEGIN,
    CALL_END,
    CALLS_BEGIN,
    CALLS_END,
    FENCE,
    MISWRITTEN_BEGINS,
    SEPARATOR,
    Scan,
    scan_deepseek,
    scan_hermes,
    scan_llama,
    scan_mistral,
)


@dataclass(frozen=True, slots=True)
class ToolForm:
    """One form of calls.

    Attributes:
        name: its name.
        marker: a pattern of what begins a call.
        words: the literal markers, of which a text's end may be a part.
        scan: reads the calls behind a marker.
        opening: the text that a call begins with, up to the function's name.
        after_name: the text between the name and the arguments.
        special: special tokens in the form, which servers show only if asked to.
    """

    name: str
    marker: str
    words: tuple[str, ...]
    scan: Scan
    opening: str
    after_name: str
    special: tuple[str, ...] = ()

    def begun(self, function: str | None) -> str:
        """The beginning of a call of ``function``, or of any function for None."""
        return self.opening + (f"{function}{self.after_name}" if function else "")


def form_in_template(source: str) -> ToolForm | None:
    """The form that a chat template shows its model; None if it has no tools, or in no known form.

    A template that writes earlier calls but does not name ``tools`` cannot offer any.
    """
    if not re.search(r"\btools\b", source):
        return None
    if CALLS_BEGIN in source:
        return DEEPSEEK_R1_CALLS if "```json" in source else DEEPSEEK_V31_CALLS
    return next((form for sign, form in _SIGNS if sign in source), None)


_TOOL_CALL = "<tool_call>"
_HERMES = (_TOOL_CALL, FENCE)
_PYTHON = "<|python_tag|>"
_MISTRAL = "[TOOL_CALLS]"
_MISTRAL_TOKENS = (_MISTRAL, "[ARGS]", "[CALL_ID]")
_DEEPSEEK = (CALLS_BEGIN, *MISWRITTEN_BEGINS)
_DEEPSEEK_TOKENS = (CALLS_BEGIN, CALLS_END, CALL_BEGIN, CALL_END, SEPARATOR)


def _form(
    name: str, words: tuple[str, ...], scan: Scan, opening: str, after_name: str, *special: str
) -> ToolForm:
    marker = "|".join(map(re.escape, words))
    return ToolForm(name, marker, words, scan, opening, after_name, special)


HERMES = _form("hermes", _HERMES, scan_hermes, '<tool_call>\n{"name": "', '", "arguments":')
QWEN3_CODER = _form("qwen3-coder", _HERMES, scan_hermes, "<tool_call>\n<function=", ">\n")
LLAMA3 = ToolForm(
    "llama3",
    rf"{re.escape(_PYTHON)}|(?:(?m:^)|(?<=[;}}]))[^\S\n]*\{{",
    (_PYTHON,),
    scan_llama,
    '{"name": "',
    '", "parameters":',
    (_PYTHON,),
)
MISTRAL = _form(
    "mistral",
    (_MISTRAL,),
    scan_mistral,
    f'{_MISTRAL}[{{"name": "',
    '", "arguments":',
    *_MISTRAL_TOKENS,
)
MISTRAL_ARGS = _form(
    "mistral-args", (_MISTRAL,), scan_mistral, _MISTRAL, "[ARGS]", *_MISTRAL_TOKENS
)
DEEPSEEK_R1_CALLS = _form(
    "deepseek-r1",
    _DEEPSEEK,
    scan_deepseek,
    f"{CALLS_BEGIN}{CALL_BEGIN}function{SEPARATOR}",
    "\n```json\n",
    *_DEEPSEEK_TOKENS,
)
DEEPSEEK_V31_CALLS = _form(
    "deepseek-v3.1",
    _DEEPSEEK,
    scan_deepseek,
    f"{CALLS_BEGIN}{CALL_BEGIN}",
    SEPARATOR,
    *_DEEPSEEK_TOKENS,
)

TOOL_FORMS = {
    form.name: form
    for form in (
        *(HERMES, QWEN3_CODER, LLAMA3, MISTRAL, MISTRAL_ARGS),
        *(DEEPSEEK_R1_CALLS, DEEPSEEK_V31_CALLS),
    )
}

_SIGNS = (
    ("[ARGS]", MISTRAL_ARGS),
    (_MISTRAL, MISTRAL),
    ("<function=", QWEN3_CODER),
    (_TOOL_CALL, HERMES),
    (_PYTHON, LLAMA3),
    ('"parameters":', LLAMA3),
)
"""What marks a form in a template, most telling first."""
