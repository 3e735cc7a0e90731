"""Reads chat templates: by built-in name, or from a Jinja file, a model folder or a GGUF file.

A server that gives out its template does so in the form of a model folder's configuration;
``connect`` asks the servers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trigreason.engines import gguf
from trigreason.engines.base import EngineRefused
from trigreason.engines.templates import BUILT_IN, ChatTemplate, TemplateError
from trigreason.reasoning.tags import tags_in_template

JINJA_FILE = "chat_template.jinja"
TOKENIZER_CONFIG = "tokenizer_config.json"
PROCESSOR_TEMPLATE = "chat_template.json"
MAX_TEMPLATE_BYTES = 2**20
"""Far more than any template has, so that a model's weights are not read by mistake."""
_TOO_LARGE = f"is larger than a template can be ({MAX_TEMPLATE_BYTES} bytes)"


def template_from(source: str | Path) -> ChatTemplate:
    """The template called ``source``, or read from that file or folder.

    A text is a built-in name if there is one, else a path; a Path is never a name.

    Raises:
        TemplateError: one line that names the file and what is missing in it.
    """
    if isinstance(source, str) and source in BUILT_IN:
        return BUILT_IN[source]
    path = Path(source).expanduser()
    try:
        if path.is_dir():
            return _from_folder(path)
        if not path.exists():
            names = ", ".join(BUILT_IN)
            raise TemplateError(
                f"is neither a file nor a folder, nor a built-in template ({names})"
            )
        return _from_gguf(path) if _is_gguf(path) else _from_text(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise TemplateError(f"{error.filename or path}: cannot be read ({reason})") from error
    except (TemplateError, gguf.DamagedGguf) as error:
        raise TemplateError(f"{path}: {error}") from error


def told_template(config: Mapping[str, Any], where: str) -> ChatTemplate | None:
    """The template in the tokenizer's configuration that a server gives out; None if it has none.

    Raises:
        EngineRefused: the template cannot be read.
    """
    value = config.get("chat_template")
    if not value:
        return None
    try:
        return _completed(_default(value, "the tokenizer"), config, f"told by {where}")
    except TemplateError as error:
        raise EngineRefused(
            str(error), where, "Serve the model with another template, or name one for it here."
        ) from error


def _is_gguf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(gguf.MAGIC)) == gguf.MAGIC


def _from_text(path: Path) -> ChatTemplate:
    if path.suffix == ".json":
        raise TemplateError("is no Jinja file; give the model folder that it lies in")
    text = _read(path)
    if "{{" not in text:
        raise TemplateError("is no Jinja file: nothing in it is filled in")
    return ChatTemplate(text, tags=tags_in_template(text), origin=str(path))


def _from_folder(folder: Path) -> ChatTemplate:
    """In Hugging Face's order: a Jinja file goes before the tokenizer's configuration."""
    config = _json(folder / TOKENIZER_CONFIG)
    jinja = folder / JINJA_FILE
    if jinja.exists():
        return _completed(_read(jinja), config, str(jinja))
    for name, values in (
        (TOKENIZER_CONFIG, config),
        (PROCESSOR_TEMPLATE, _json(folder / PROCESSOR_TEMPLATE)),
    ):
        value = values.get("chat_template")
        if value is not None:
            return _completed(_default(value, name), config, str(folder / name))
    raise TemplateError(
        f"holds no chat template: no {JINJA_FILE}, and no chat_template in {TOKENIZER_CONFIG} "
        f"or {PROCESSOR_TEMPLATE}"
    )


def _completed(source: str, config: Mapping[str, Any], origin: str) -> ChatTemplate:
    """A template with the special tokens of a tokenizer's configuration."""
    if len(source) > MAX_TEMPLATE_BYTES:
        raise TemplateError(f"the chat template {_TOO_LARGE}")
    return ChatTemplate(
        source,
        bos_token="" if config.get("add_bos_token", True) else _token(config.get("bos_token")),
        eos_token=_token(config.get("eos_token")),
        tags=tags_in_template(source),
        origin=origin,
    )


def _from_gguf(path: Path) -> ChatTemplate:
    metadata = gguf.read_metadata(path)
    source = metadata.get("tokenizer.chat_template")
    if not isinstance(source, str):
        raise TemplateError("holds no chat template (no tokenizer.chat_template in its metadata)")
    adds_bos = metadata.get("tokenizer.ggml.add_bos_token", True)
    return ChatTemplate(
        source,
        bos_token="" if adds_bos else _token_of(metadata, "bos"),
        eos_token=_token_of(metadata, "eos"),
        tags=tags_in_template(source),
        origin=str(path),
    )


def _token_of(metadata: dict[str, Any], name: str) -> str:
    """The text of the beginning or end of sequence; empty if the file names none."""
    tokens = metadata.get("tokenizer.ggml.tokens")
    index = metadata.get(f"tokenizer.ggml.{name}_token_id")
    if not isinstance(tokens, list) or not isinstance(index, int) or not 0 <= index < len(tokens):
        return ""
    return str(tokens[index])


def _token(value: Any) -> str:
    """A special token as tokenizer_config.json writes it: a text, an object, or null."""
    if isinstance(value, dict):
        value = value.get("content")
    return value if isinstance(value, str) else ""


def _default(value: Any, name: str) -> str:
    """The template itself, or the one called "default" among several."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        named = value
    elif isinstance(value, list):
        named = {item.get("name"): item.get("template") for item in value if isinstance(item, dict)}
    else:
        raise TemplateError(f"{name} has a chat_template that is neither text nor a list")
    default = named.get("default")
    if not isinstance(default, str):
        names = ", ".join(map(str, named)) or "nothing"
        raise TemplateError(f'{name} names no template "default", only {names}')
    return default


def _json(path: Path) -> dict[str, Any]:
    """The object in a JSON file; an empty one if the file does not exist."""
    if not path.exists():
        return {}
    try:
        values = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise TemplateError(f"{path.name} is no JSON") from error
    if not isinstance(values, dict):
        raise TemplateError(f"{path.name} is no JSON object")
    return values


def _read(path: Path) -> str:
    if path.stat().st_size > MAX_TEMPLATE_BYTES:
        raise TemplateError(_TOO_LARGE)
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise TemplateError("is no text in UTF-8") from error
