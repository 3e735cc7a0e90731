"""Raw text completions: the prompt is rendered here, the server only continues it.

The one way of speaking that behaves the same on every server. Two shapes of logprobs are read:
the legacy arrays (vLLM, SGLang, Together) and chat-style entries (llama.cpp).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from trigreason.engines.base import (
    Capabilities,
    ContextTooLong,
    Engine,
    EngineError,
    EngineFailed,
    EngineRefused,
    EngineUnreachable,
    Finish,
    NoLogprobs,
    Prefix,
    Sampling,
    Usage,
)
from trigreason.engines.sse import EventLines
from trigreason.engines.templates import CHATML, ChatTemplate, TemplateError
from trigreason.engines.wire import Chunk, decode_chunk, tokens_of
from trigreason.reasoning import Token

CONNECT_SECONDS = 10.0
SILENCE_SECONDS = 300.0
"""How long a server may say nothing before the stream counts as broken; a long prompt on a slow
machine is silent for minutes."""


class CompletionsEngine(Engine):
    """A model behind ``{url}/completions``, with ``url`` up to and including ``/v1``."""

    keeps_connections = True

    def __init__(
        self,
        url: str,
        model: str,
        *,
        template: ChatTemplate = CHATML,
        capabilities: Capabilities | None = None,
        api_key: str | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.model = model
        self.template = template
        self.capabilities = capabilities or Capabilities()
        self._api_key = api_key
        self._session: aiohttp.ClientSession | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r}, {self.model!r})"

    @property
    def where(self) -> str:
        """How errors name this engine."""
        return f"{self.model} at {self.url}"

    def prompt(self, prefix: Prefix) -> str:
        """The text that is sent for a prefix. Raises EngineRefused where the template does."""
        try:
            rendered = self.template.render(prefix.messages, thinking=prefix.thinking)
        except TemplateError as error:
            raise EngineRefused(
                _one_line(str(error)), self.where, "Ask it in the turns that its template knows."
            ) from error
        return rendered + prefix.written

    def request_body(
        self, prefix: Prefix, sampling: Sampling, max_tokens: int, alternatives: int | None
    ) -> dict[str, Any]:
        """The JSON of one request, every sampling parameter spelled out."""
        body: dict[str, Any] = {
            "model": self.model,
            "prompt": self.prompt(prefix),
            "max_tokens": max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True},
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "top_k": -1 if sampling.top_k is None else sampling.top_k,  # 0 is an error to SGLang
            "min_p": sampling.min_p,
            "seed": sampling.seed,
        }
        if alternatives is not None:
            body["logprobs"] = max(1, alternatives)
        return body

    @asynccontextmanager
    async def stream(
        self,
        prefix: Prefix,
        sampling: Sampling,
        *,
        max_tokens: int,
        alternatives: int | None = None,
        needs_logprobs: bool = False,
    ) -> AsyncIterator[CompletionStream]:
        body = self.request_body(prefix, sampling, max_tokens, alternatives)
        response = await self._post("/completions", body)
        try:
            if response.status >= 400:
                raise await self._refusal(response)
            yield CompletionStream(response, self.where, needs_logprobs)
        finally:
            response.close()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _post(self, path: str, body: dict[str, Any]) -> aiohttp.ClientResponse:
        session = self._open_session()
        try:
            return await session.post(self.url + path, json=body)
        except aiohttp.ClientConnectorError as error:
            raise self._unreachable(error) from error
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            pass  # a kept-alive connection, meanwhile closed by the server: try a new one
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._unreachable(error) from error
        try:
            return await session.post(self.url + path, json=body)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._unreachable(error) from error

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, force_close=not self.keeps_connections),
                headers=key_headers(self._api_key),
                timeout=aiohttp.ClientTimeout(
                    total=None, sock_connect=CONNECT_SECONDS, sock_read=SILENCE_SECONDS
                ),
                read_bufsize=2**18,
            )
        return self._session

    def _unreachable(self, error: BaseException) -> EngineUnreachable:
        return EngineUnreachable(
            f"no answer ({cause(error)})",
            self.where,
            "Is the server running, and is the address right?",
        )

    async def _refusal(self, response: aiohttp.ClientResponse) -> EngineError:
        return refusal(response.status, await response.text(errors="replace"), self.where)


class CompletionStream:
    """One running completion; see ``TokenStream``."""

    def __init__(self, response: aiohttp.ClientResponse, where: str, needs_logprobs: bool) -> None:
        self.finish: Finish | None = None
        self.usage = Usage()
        self._response = response
        self._where = where
        self._needs_logprobs = needs_logprobs

    async def __aiter__(self) -> AsyncIterator[Sequence[Token]]:
        lines = EventLines()
        try:
            while data := await self._response.content.readany():
                tokens: list[Token] = []
                failure: EngineError | None = None
                try:
                    for payload in lines.feed(data):
                        if payload == b"[DONE]":
                            break
                        tokens += self._read(decode_chunk(payload, self._where))
                except EngineError as error:
                    failure = error  # what arrived with it, and before it, counts
                if tokens:
                    yield tokens
                if failure is not None:
                    raise failure
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise EngineUnreachable(
                f"the stream broke off ({cause(error)})",
                self._where,
                "What had arrived is kept; look at the server's log for the cause.",
            ) from error
        if self.finish is None:
            raise EngineUnreachable(
                "the stream ended without saying why",
                self._where,
                "What had arrived is kept; look at the server's log for the cause.",
            )

    def _read(self, chunk: Chunk) -> list[Token]:
        if chunk.error is not None:
            code = chunk.error.code if isinstance(chunk.error.code, int) else 500
            raise refusal(code, chunk.error.message, self._where)
        chunk.add_to(self.usage)
        tokens: list[Token] = []
        for choice in chunk.choices:
            tokens += tokens_of(choice)
            if choice.finish_reason is not None:
                length = choice.finish_reason == "length"
                self.finish = Finish.LENGTH if length else Finish.STOP
            if self._needs_logprobs and choice.text and not choice.has_logprobs:
                raise NoLogprobs(
                    "the model returns no token probabilities",
                    self._where,
                    "Serve the SRM with logprobs, or switch the cognitive offload off (rho = 1).",
                )
        return tokens


def key_headers(api_key: str | None) -> dict[str, str]:
    """The headers that show a key; none without one."""
    return {"Authorization": f"Bearer {api_key}"} if api_key else {}


def cause(error: BaseException) -> str:
    """What lies behind a connection error, in a few words."""
    if isinstance(error, aiohttp.ClientConnectorError):
        error = error.os_error
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return _one_line(text) if text else type(error).__name__


def refusal(status: int, text: str, where: str) -> EngineError:
    """The typed error for an error status and the body that came with it."""
    message, kind = _error_message(text)
    if kind == "exceed_context_size_error" or "context length" in message.lower():
        return ContextTooLong(
            f"the question and the thinking do not fit into the context ({message})",
            where,
            "Ask a shorter question, lower the thinking budget, or serve a larger context.",
        )
    if status in (401, 403):
        return EngineRefused(f"the key was not accepted ({message})", where, "Check the API key.")
    if status == 404:
        return EngineRefused(
            f"not found ({message})", where, "Check the model's name and that the URL ends in /v1."
        )
    if status < 500:
        return EngineRefused(
            f"the server refused the request ({message})", where, "See the server's log."
        )
    return EngineFailed(
        f"the server failed with status {status} ({message})", where, "See the server's log."
    )


def _error_message(text: str) -> tuple[str, str]:
    """The message and the type in an error body, of whatever form."""
    try:
        body = json.loads(text)
    except json.JSONDecodeError:
        body = None
    error = body.get("error", body) if isinstance(body, dict) else text
    if isinstance(error, dict):
        return _one_line(str(error.get("message", error))), str(error.get("type", ""))
    return _one_line(str(error)), ""


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300] or "no message"
