"""Ollama's native API: raw text, continued.

Its OpenAI route applies the model's template to every prompt; ``/api/generate`` with ``raw`` does
not. That template is written for Go and cannot be rendered here, so the engine gets another one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any

import aiohttp
import msgspec

from trigreason.engines.base import BLANK_LINE, Capabilities, EngineFailed, Request, Usage
from trigreason.engines.bodies import page
from trigreason.engines.completions import (
    Body,
    CompletionsEngine,
    StepEnding,
)
from trigreason.engines.dialects import Dialect
from trigreason.engines.fields import MATTERS, Count, Events, Text, Unfit
from trigreason.engines.fields_stream import FieldsStream
from trigreason.engines.finishes import is_told
from trigreason.engines.http import Timeouts
from trigreason.engines.proxies import proxy_for
from trigreason.engines.sse import BOM
from trigreason.engines.templates import CHATML, ChatTemplate
from trigreason.engines.thinking_text import AssistantTurn, JoinedText
from trigreason.engines.wire import Choice, ChosenToken, Logprobs, reported
from trigreason.reasoning import Token


class OllamaEngine(CompletionsEngine):
    """A model behind Ollama, with ``url`` up to its port; a trailing ``/v1`` is dropped.

    Logprobs are raw and need version 0.12.11 or later. ``capabilities.context_tokens`` is sent as
    the context to load the model with; if it is None, the server decides, which may give far less
    than the model can do.
    """

    path = "/api/generate"
    dialect = Dialect(
        name="ollama",
        guiding=lambda guide: {"format": dict(guide.json_schema)},
        capabilities=Capabilities(guides=True),
    )

    def __init__(
        self,
        url: str,
        model: str,
        *,
        template: ChatTemplate = CHATML,
        capabilities: Capabilities | None = None,
        api_key: str | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        super().__init__(
            url.rstrip("/").removesuffix("/v1"),
            model,
            template=template,
            capabilities=capabilities,
            api_key=api_key,
            timeouts=timeouts,
        )

    def request_body(self, request: Request) -> Body:
        """The JSON of one request.

        ``think`` is false because Ollama otherwise turns thinking on for a model that can think,
        and splits its text into fields even when raw. Penalties are switched off, since a model's
        file may set its own. ``truncate`` and ``shift`` (from version 0.12.6 on) make a prefix
        that does not fit an error, instead of cutting off its beginning.
        """
        sampling = request.sampling
        options: dict[str, Any] = {
            "num_predict": request.max_tokens,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "top_k": 0 if sampling.top_k is None else sampling.top_k,
            "min_p": sampling.min_p,
            "seed": sampling.seed,
            "repeat_penalty": 1.0,
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
        }
        if self.capabilities.context_tokens is not None:
            options["num_ctx"] = self.capabilities.context_tokens
        if request.one_step:
            options["stop"] = [BLANK_LINE]
        body: Body = {
            "model": self.model,
            "prompt": self.prompt(request.prefix),
            "raw": True,
            "think": False,
            "stream": True,
            "truncate": False,
            "shift": False,
            "options": options,
        }
        if request.guide is not None:
            body |= self.dialect.guiding(request.guide)
        if request.alternatives is not None:
            likeliest = min(request.alternatives, self.capabilities.max_alternatives)
            body |= {"logprobs": True, "top_logprobs": likeliest}
        return body

    @asynccontextmanager
    async def send(self, request: Request) -> AsyncIterator[OllamaStream]:
        body = self.request_body(request)
        async with self.post(self.path, body, request.session) as response:
            yield OllamaStream(
                response,
                self.where,
                LineSplitter().feed,
                text=JoinedText(AssistantTurn(request.prefix)),
                needs_logprobs=request.needs_logprobs,
                ending=StepEnding(request.prefix) if request.one_step else None,
            ).of(self, body)


class StreamLine(msgspec.Struct):
    """One line of the stream; the last one is ``done`` and has the token counts.

    ``thinking`` stays empty if the server honours ``think: false``.
    """

    response: Text | None = None
    thinking: Text | None = None
    logprobs: list[ChosenToken] | None = None
    done: Annotated[bool, MATTERS] | None = None
    done_reason: str | None = None
    prompt_eval_count: Count | None = None
    eval_count: Count | None = None
    error: Any = None


_events = Events(StreamLine)


class OllamaStream(FieldsStream):
    """One running completion."""

    def read(self, payload: bytes) -> Sequence[Token]:
        try:
            line = _events.decode(payload)
        except Unfit as error:
            raise EngineFailed(
                f"the stream holds what is no line of Ollama's ({error})",
                self.where,
                "Is this really Ollama?",
            ) from error
        if (failure := reported(line.error)) is not None:
            raise failure.typed(self.where)
        choice = Choice(logprobs=Logprobs(content=line.logprobs))
        if line.done:
            self.over = True
            self.usage = Usage(line.prompt_eval_count, None, line.eval_count)
            choice.finish_reason = line.done_reason if is_told(line.done_reason) else "stop"
        return self.tokens(choice, line.thinking or "", line.response or "")


class LineSplitter:
    """Bytes in, lines out, however the bytes are cut up."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The lines that ``data`` completes; blank ones are left out."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if line := line.removeprefix(BOM).strip():
                yield line


class ModelPage(msgspec.Struct):
    """The answer of ``POST /api/show``: the fields that are read."""

    model_info: dict[str, Any] = {}
    parameters: str = ""
    capabilities: list[str] = []

    @property
    def thinks(self) -> bool | None:
        """Whether the model thinks; None if the server is too old to list capabilities."""
        return "thinking" in self.capabilities if self.capabilities else None

    @property
    def trained_tokens(self) -> int | None:
        """The longest context that the model was trained for, in tokens; None if unknown."""
        architecture = self.model_info.get("general.architecture")
        length = self.model_info.get(f"{architecture}.context_length")
        return length if isinstance(length, int) else None

    @property
    def num_ctx(self) -> int | None:
        """The context that the model's file sets, in tokens; None if it sets none.

        The server then chooses one by its memory and settings, at least 4,096.
        """
        for line in self.parameters.splitlines():
            name, _, value = line.strip().partition(" ")
            if name == "num_ctx" and value.strip().isdecimal():
                return int(value)
        return None


async def ask_show(
    url: str, model: str, headers: Mapping[str, str] | None = None
) -> ModelPage | None:
    """Ollama's page on a model at ``url``; None if it is not Ollama or has no such model."""
    root = url.rstrip("/").removesuffix("/v1")
    proxy = proxy_for(root)
    timeout = aiohttp.ClientTimeout(total=Timeouts().connect)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers, proxy=proxy) as session,
            session.post(f"{root}/api/show", json={"model": model}) as response,
        ):
            if response.status != 200:
                return None
            return msgspec.json.decode(await page(response), type=ModelPage)
    except (TimeoutError, aiohttp.ClientError, OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
