"""What only llama.cpp's server says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import aiohttp
import msgspec

from trigreason.engines.base import Capabilities, EngineRefused
from trigreason.engines.dialects import LLAMA_CPP
from trigreason.engines.http import Timeouts
from trigreason.engines.templates import CHATML, ChatTemplate, TemplateError


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
    """What the server at ``url`` (up to ``/v1``) says of itself; None where it is no llama.cpp."""
    root = url.rstrip("/").removesuffix("/v1")
    timeout = aiohttp.ClientTimeout(total=seconds)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            session.get(f"{root}/props") as response,
        ):
            if response.status != 200:
                return None
            return msgspec.json.decode(await response.read(), type=Props)
    except (TimeoutError, aiohttp.ClientError, OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def told_template(props: Props, where: str) -> ChatTemplate:
    """The chat template that a server's props name; ChatML where they name none.

    Raises:
        EngineRefused: the template cannot be read.
    """
    if not props.chat_template:
        return CHATML
    try:
        return ChatTemplate(
            props.chat_template, eos_token=props.eos_token, origin=f"told by {where}"
        )
    except TemplateError as error:
        raise EngineRefused(str(error), where, "Serve the model with another template.") from error


def described(props: Props, where: str) -> tuple[ChatTemplate, Capabilities]:
    """The chat template and the capabilities that a server's props name.

    Raises:
        EngineRefused: the template cannot be read.
    """
    context = props.default_generation_settings.n_ctx
    return told_template(props, where), replace(LLAMA_CPP.capabilities, context_tokens=context)
