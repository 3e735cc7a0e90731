"""The properties that llama.cpp's server reports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec

from trigreason.engines.base import Capabilities
from trigreason.engines.dialects import LLAMA_CPP
from trigreason.engines.http import Timeouts
from trigreason.engines.server_pages import ask_page
from trigreason.engines.template_sources import told_template
from trigreason.engines.templates import ChatTemplate, guess


class GenerationSettings(msgspec.Struct):
    n_ctx: int


class Props(msgspec.Struct):
    """The answer of ``GET /props``; ``n_ctx`` is the context of one slot, in tokens."""

    default_generation_settings: GenerationSettings
    chat_template: str = ""
    eos_token: str = ""


async def ask_props(
    url: str, headers: Mapping[str, str] | None = None, seconds: float = Timeouts().connect
) -> Props | None:
    """The properties of the server at ``url`` (up to ``/v1``); None if it is not llama.cpp."""
    return await ask_page(url, "/props", Props, headers, seconds)


def template_of(props: Props, where: str) -> ChatTemplate | None:
    """The chat template in a server's props; None if they have none.

    Raises:
        EngineRefused: the template cannot be read.
    """
    config = {"chat_template": props.chat_template, "eos_token": props.eos_token}
    return told_template(config, where)


def described(props: Props, file: Path) -> tuple[ChatTemplate, Capabilities]:
    """The chat template and the capabilities of a GGUF file that is served with these props.

    Raises:
        EngineRefused: the template cannot be read.
    """
    context = props.default_generation_settings.n_ctx
    template = template_of(props, str(file)) or guess(file.stem)
    return template, replace(LLAMA_CPP.capabilities, context_tokens=context)
