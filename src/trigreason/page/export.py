"""A recorded run as one HTML file that needs no server and loads nothing.

The page's modules stand in it one after the other, each in a function of its own, since a module
in a file cannot import another one. The policy of the file allows that script and that style by
their hashes and nothing else.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from html import escape

from trigreason.page.bundle import STYLES, text_of
from trigreason.page.decisions import every_methods_decisions
from trigreason.reasoning import Trace, methods, trace_to_json

ENTRY = "recorded.js"

_IMPORT = re.compile(r'^import (\w+|\{[^}]*\}) from "\./([\w.-]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?:async )?(?:function\*?|class|const) (\w+)", re.MULTILINE)
_DEFAULT = re.compile(r"^export default (\w+);$", re.MULTILINE)


def run_page(traces: Sequence[Trace]) -> str:
    """One or two recorded runs as one HTML page; two stand side by side."""
    runs = [
        {"trace": trace_to_json(trace), "decisions": every_methods_decisions(trace)}
        for trace in traces
    ]
    titles = {name: entry.title for name, entry in methods().items()}
    data = json.dumps({"runs": runs, "titles": titles}, ensure_ascii=False)
    script, style = inlined(ENTRY), "".join(map(text_of, STYLES))
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<link rel="icon" href="data:,">\n'
        f"<title>{escape(_title(traces))}</title>\n<style>{style}</style>\n</head>\n"
        '<body>\n<main id="main"></main>\n<noscript>This page needs JavaScript.</noscript>\n'
        f'<script type="application/json" id="data">{_in_script(data)}</script>\n'
        f'<script type="module">{script}</script>\n</body>\n</html>\n'
    )


@cache
def inlined(entry: str) -> str:
    """A module and all that it imports as one script without imports."""
    parts: dict[str, str] = {}
    _add(entry, parts)
    return "".join(parts.values())


def _add(name: str, parts: dict[str, str]) -> None:
    source = text_of(name)
    for _, other in _IMPORT.findall(source):
        if other not in parts:
            _add(other, parts)

    def imported(match: re.Match[str]) -> str:
        given, other = match.groups()
        names = given.replace(" as ", ": ") if given.startswith("{") else f"{{default: {given}}}"
        return f"const {names} = {_variable(other)};\n"

    given = _EXPORT.findall(source) + [f"default: {name}" for name in _DEFAULT.findall(source)]
    body = _IMPORT.sub(imported, _DEFAULT.sub("", source))
    body = re.sub(r"^export ", "", body, flags=re.MULTILINE)
    parts[name] = (
        f"const {_variable(name)} = (() => {{\n{body}\nreturn {{{', '.join(given)}}};\n}})();\n"
    )


def _variable(name: str) -> str:
    return "module_" + re.sub(r"\W", "_", name.removesuffix(".js"))


def _title(traces: Sequence[Trace]) -> str:
    question = next(
        (each.content for each in reversed(traces[0].messages) if each.role == "user"), ""
    )
    words = " ".join(question.split())
    return f"{words[:60]}{'…' if len(words) > 60 else ''} – TrigReason"


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _in_script(data: str) -> str:
    """JSON that ends no script element and is the same for every parser."""
    for char in "<>&\u2028\u2029":
        data = data.replace(char, f"\\u{ord(char):04x}")
    return data
