"""``/docs``: the OpenAPI document as a page that loads nothing and runs no scripts."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Mapping
from html import escape
from math import inf
from typing import Any

Schema = Mapping[str, Any]

_LITERAL = re.compile("``(.+?)``")
_ANY = 2**62
"""A bound at or beyond this is the integers' own."""

STYLE = """
:root { color-scheme: light dark; --line: light-dark(#ddd, #444); --soft: light-dark(#666, #aaa);
  --code: light-dark(#f4f4f5, #26272b); --link: light-dark(#1d4ed8, #8ab4ff); }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 54rem; margin: 2.5rem auto;
  padding: 0 1.25rem; }
h1 { font-size: 1.7rem; margin-bottom: .25rem; }
h2 { font-size: 1.1rem; margin: 2.75rem 0 .5rem; padding-top: 1rem;
  border-top: 1px solid var(--line); }
h3 { font-size: .95rem; margin: 1.5rem 0 .4rem; }
a { color: var(--link); }
nav ul { columns: 2 20rem; padding: 0; list-style: none; }
code, pre { font: .875em/1.5 ui-monospace, monospace; }
pre { background: var(--code); padding: .8rem 1rem; border-radius: .4rem; overflow-x: auto; }
.method { display: inline-block; min-width: 3.6rem; color: var(--soft); }
.soft { color: var(--soft); }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
td, th { text-align: left; vertical-align: top; padding: .35rem .9rem .35rem 0;
  border-bottom: 1px solid var(--line); }
td:first-child { white-space: nowrap; width: 13.5rem; }
details td:first-child { width: 3rem; }
summary { cursor: pointer; margin: .8rem 0; }
"""

_STYLE_HASH = b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

HEADERS = {
    "content-security-policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "content-type": "text/html; charset=utf-8",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
"""The page's headers: nothing is loaded or run, and only its own style applies."""


def reference_page(document: Mapping[str, Any], url: str) -> str:
    """An OpenAPI document as HTML; ``url`` is the gateway's, for the examples."""
    info = document["info"]
    operations = [
        (method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    schemas = document.get("components", {}).get("schemas", {})
    title = escape(info["title"])
    parts = [
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body>",
        f'<h1>{title} <small class="soft">{escape(info["version"])}</small></h1>',
        f"<p>{escape(info['description'])} The same for programs is in "
        '<a href="openapi.json">openapi.json</a>.</p><nav><ul>',
        *(
            f'<li><span class="method">{method.upper()}</span>'
            f'<a href="#{_anchor(method, path)}"><code>{escape(path)}</code></a></li>'
            for method, path, _ in operations
        ),
        "</ul></nav>",
        *(_operation(*operation, url, schemas) for operation in operations),
        "<h2>Schemas</h2>",
        *(_schema(name, schema) for name, schema in schemas.items()),
        "</body></html>\n",
    ]
    return "".join(parts)


def _operation(
    method: str, path: str, operation: Schema, url: str, schemas: Mapping[str, Schema]
) -> str:
    parts = [
        f'<h2 id="{_anchor(method, path)}"><span class="method">{method.upper()}</span>'
        f"<code>{escape(path)}</code></h2>",
        _paragraph(operation),
    ]
    content = operation.get("requestBody", {}).get("content", {})
    for kind, media in content.items():
        parts.append(_example(method, url + path, media["schema"], schemas))
        parts.append(f"<p>Body: {_kind(media['schema'])}, as <code>{escape(kind)}</code></p>")
    rows = "".join(
        f"<tr><td><code>{escape(status)}</code></td><td>{escape(answer['description'])}</td></tr>"
        for status, answer in operation["responses"].items()
        if status != "422"  # FastAPI's, which the gateway never sends
    )
    parts.append(f"<details><summary>Responses</summary><table>{rows}</table></details>")
    return "".join(parts)


def _example(method: str, url: str, schema: Schema, schemas: Mapping[str, Schema]) -> str:
    """A command that sends the schema's example; empty if it has none."""
    named = schemas.get(_name(schema), schema)
    for example in named.get("examples", ())[:1]:
        body = json.dumps(example, ensure_ascii=False)
        command = f"curl {url} \\\n  -H 'Content-Type: application/json' \\\n  -d '{body}'"
        return f"<pre>{escape(command, quote=False)}</pre>"
    return ""


def _schema(name: str, schema: Schema) -> str:
    choices = f"<p>{_kind(schema)}</p>" if "enum" in schema else ""
    heading = f'<h3 id="{escape(name)}">{escape(name)}</h3>'
    return heading + _paragraph(schema) + choices + _fields(schema)


def _fields(schema: Schema) -> str:
    required = schema.get("required", ())
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{_kind(field)}{_bounds(field)}"
        f"{' <b>required</b>' if name in required else ''}</td>"
        f"<td>{escape(field.get('description', ''))}</td></tr>"
        for name, field in schema.get("properties", {}).items()
        if _kind(field)
    )
    return f"<table>{rows}</table>" if rows else ""


def _kind(schema: Schema) -> str:
    """A schema's type in a few words; empty for a field of any type, or of none."""
    if name := _name(schema):
        return f'<a href="#{escape(name)}">{escape(name)}</a>'
    if "enum" in schema:
        return " · ".join(f"<code>{escape(json.dumps(value))}</code>" for value in schema["enum"])
    if "const" in schema:
        return f"<code>{escape(json.dumps(schema['const']))}</code>"
    if "anyOf" in schema:
        kinds = [_kind(option) for option in schema["anyOf"] if option.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {})) or 'anything'}"
    kind = schema.get("type", "")
    return "" if kind == "null" else escape(kind)


def _bounds(schema: Schema) -> str:
    signs = {
        "minimum": "≥",
        "exclusiveMinimum": "&gt;",
        "maximum": "≤",
        "exclusiveMaximum": "&lt;",
    }
    bounds = [
        f"{sign}&nbsp;{option[key]:g}"
        for option in (schema, *schema.get("anyOf", ()))
        for key, sign in signs.items()
        if abs(option.get(key, inf)) < _ANY
    ]
    return f' <span class="soft">{", ".join(bounds)}</span>' if bounds else ""


def _paragraph(schema: Schema) -> str:
    text = schema.get("description", "")
    parts = (_LITERAL.sub(r"<code>\1</code>", escape(part)) for part in text.split("\n\n"))
    return "".join(f"<p>{part}</p>" for part in parts if part)


def _name(schema: Schema) -> str:
    reference: str = schema.get("$ref", "")
    return reference.rpartition("/")[2]


def _anchor(method: str, path: str) -> str:
    return escape(f"{method}{path}".replace("{", "").replace("}", ""))
