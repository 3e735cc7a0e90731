"""llama.cpp inside this process, for GGUF files.

The server listens on a free port of the loopback interface and gets HTTP requests like any other
server, so there is one code path. It ends with the engine, and with the program.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import xllamacpp

from trigreason.engines.base import EngineFailed, NotAModel, Prefix
from trigreason.engines.completions import CompletionsEngine, Prompt
from trigreason.engines.dialects import LLAMA_CPP
from trigreason.engines.embedded.control_words import ControlWords
from trigreason.engines.embedded.drafting import check_draft
from trigreason.engines.embedded.memory import Loading, need_of
from trigreason.engines.embedded.options import FlashAttention, LlamaCppOptions
from trigreason.engines.embedded.threads import threads_for
from trigreason.engines.llama_cpp import ask_props, described

CONTEXT_TOKENS = 16384
"""Room for the default thinking budget, an answer and a long question."""

QUEUE_SECONDS = 60
"""The longest that a loaded model may take to serve its first request."""

MIB = 2**20
_GGUF_MAGIC = b"GGUF"
_SILENT = -1

_FLASH_ATTENTION = {
    FlashAttention.AUTO: xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_AUTO,
    FlashAttention.ON: xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_ENABLED,
    FlashAttention.OFF: xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED,
}


class EmbeddedEngine(CompletionsEngine):
    """A GGUF file served in this process; :func:`load` makes it."""

    dialect = LLAMA_CPP
    _server: xllamacpp.Server | None
    _control: ControlWords

    @property
    def where(self) -> str:
        return f"{self.model}.gguf"

    def sent_prompt(self, prefix: Prefix) -> Prompt:
        """The prompt as it is sent; messages never become control tokens in it."""
        return self._control.prompt(self.prompt(self._control.as_text(prefix)))

    async def close(self) -> None:
        await super().close()
        self._server = None


async def load(
    path: Path,
    *,
    context_tokens: int = CONTEXT_TOKENS,
    options: LlamaCppOptions | None = None,
    caching: bool = True,
    draft: Path | None = None,
    kept_bytes: int | None = None,
) -> EmbeddedEngine:
    """Load a GGUF file. ``context_tokens`` is per slot; a slot serves one request at a time.

    A slot's KV cache serves as prefix cache of the next request. Caches of other prompts are kept
    in up to ``kept_bytes`` of memory (None: as much as the KV cache). With ``caching`` off nothing
    is reused. Splitting a prompt differently changes the last digits of probabilities, so only one
    slot without caching gives the same tokens for the same requests, whatever came before.

    ``draft`` is a smaller model of the same vocabulary, for speculative decoding. llama.cpp then
    gives no true logprobs (0.0 for most tokens), so the engine has none.

    Raises:
        NotAModel: the file does not exist, or llama.cpp cannot load it, or the draft has another
            vocabulary.
    """
    check_gguf(path)
    if draft is not None:
        check_gguf(draft)
        await asyncio.to_thread(check_draft, path, draft)
    loading = Loading(path, context_tokens, options or LlamaCppOptions(), draft, kept_bytes)
    if not caching:
        loading = replace(loading, kept_bytes=0)
    parameters = await asyncio.to_thread(_parameters, loading)
    server = await asyncio.to_thread(_serve, path, parameters)
    url = f"{server.listening_address}/v1"
    props = await ask_props(url)
    if props is None:
        raise EngineFailed(
            "llama.cpp loaded the model and does not answer", str(path), "Please report this."
        )
    template, capabilities = described(props, path)
    if draft is not None:
        capabilities = replace(capabilities, logprobs=False)
    engine = EmbeddedEngine(url, path.stem, template=template, capabilities=capabilities)
    engine._server = server
    engine._control = await asyncio.to_thread(ControlWords.of_file, path)
    if not caching:
        engine.dialect = replace(LLAMA_CPP, always={**LLAMA_CPP.always, "cache_prompt": False})
    return engine


def check_gguf(path: Path) -> None:
    """Raise NotAModel unless ``path`` is a file that begins like GGUF."""
    try:
        with path.open("rb") as file:
            magic = file.read(len(_GGUF_MAGIC))
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise NotAModel(f"cannot be read ({reason})", str(path), "Check the path.") from error
    if magic != _GGUF_MAGIC:
        raise NotAModel(
            "is no GGUF file", str(path), "Give a model in GGUF format, or the URL of a server."
        )


def _parameters(loading: Loading) -> xllamacpp.CommonParams:
    options, draft = loading.options, loading.draft
    threads = options.threads or threads_for(loading.file)
    kept = need_of(loading).cache if loading.kept_bytes is None else loading.kept_bytes
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(loading.file)
    parameters.n_ctx = loading.context_tokens * loading.slots
    parameters.n_parallel = loading.slots
    parameters.cache_ram_mib = math.ceil(kept / MIB)
    parameters.cpuparams.n_threads = threads
    parameters.cpuparams_batch.n_threads = threads
    parameters.flash_attn_type = _FLASH_ATTENTION[options.flash_attention]
    cache_type = getattr(xllamacpp.ggml_type, f"GGML_TYPE_{options.cache_type.upper()}")
    parameters.cache_type_k = parameters.cache_type_v = cache_type
    if options.gpu_layers is not None:
        parameters.n_gpu_layers = options.gpu_layers
    if not options.mmap:
        parameters.load_mode = xllamacpp.llama_load_mode.LLAMA_LOAD_MODE_NONE
    parameters.warmup = False
    parameters.verbosity = _SILENT
    if draft is not None:
        simple = xllamacpp.common_speculative_type.COMMON_SPECULATIVE_TYPE_DRAFT_SIMPLE
        parameters.speculative.types = [simple]
        drafting = parameters.speculative.draft
        drafting.mparams.path = str(draft)
        drafting.cpuparams.n_threads = options.threads or threads_for(draft)
        drafting.cpuparams_batch.n_threads = drafting.cpuparams.n_threads
        drafting.cache_type_k = drafting.cache_type_v = cache_type
        if options.gpu_layers is not None:
            drafting.n_gpu_layers = options.gpu_layers
    return parameters


def _serve(path: Path, parameters: xllamacpp.CommonParams) -> xllamacpp.Server:
    try:
        server = xllamacpp.Server(parameters)
    except RuntimeError as error:
        raise NotAModel(
            "llama.cpp cannot load it (damaged, of an unknown kind, or too large for memory)",
            str(path),
            "Try it with another llama.cpp program to see why.",
        ) from error
    _await_queue(server)
    return server


def _await_queue(server: xllamacpp.Server) -> None:
    """Wait until the server processes its queue, which is a moment after it begins to listen.

    Ending a server within that moment hangs, and the program with it.
    """
    directly = build_opener(ProxyHandler({}))
    with directly.open(f"{server.listening_address}/slots", timeout=QUEUE_SECONDS) as answer:
        answer.read()
