"""llama.cpp's server: raw completions, and what only it says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aiohttp
import msgspec

from trigreason.engines.base import Capabilities, EngineRefused, Prefix, Sampling
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.http import Timeouts
from trigreason.engines.templates import CHATML, ChatTemplate, TemplateError


class GenerationSettings(msgspec.Struct):
    n_ctx: int


class Props(msgspec.Struct):
    """The answer of ``GET /props``; ``n_ctx`` is the context of one slot, in tokens."""

    default_generation_settings: GenerationSettings
    chat_template: str = ""
    eos_token: str = ""


class LlamaCppEngine(CompletionsEngine):
    """A model behind llama.cpp's server. Logprobs are raw; the prompt cache is on."""

    keeps_connections = False
    """The server drops a connection after a stream without saying so."""

    def request_body(
        self, prefix: Prefix, sampling: Sampling, max_tokens: int, alternatives: int | None
    ) -> dict[str, Any]:
        """A completions request; ``return_progress`` counts the prompt before the first token."""
        body = super().request_body(prefix, sampling, max_tokens, alternatives)
        return body | {"cache_prompt": True, "return_progress": True}


async def ask_props(url: str, headers: Mapping[str, str] | None = None) -> Props | None:
    """What the server at ``url`` (up to ``/v1``) says of itself; None where it is no llama.cpp."""
    root = url.rstrip("/").removesuffix("/v1")
    timeout = aiohttp.ClientTimeout(total=Timeouts().connect)
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


def described(props: Props, where: str) -> tuple[ChatTemplate, Capabilities]:
    """The chat template and the capabilities that a server's props name.

    Raises:
        EngineRefused: the template cannot be read.
    """
    source = props.chat_template
    try:
        template = ChatTemplate(source, eos_token=props.eos_token) if source else CHATML
    except TemplateError as error:
        raise EngineRefused(str(error), where, "Serve the model with another template.") from error
    context = props.default_generation_settings.n_ctx
    return template, Capabilities(context_tokens=context)
