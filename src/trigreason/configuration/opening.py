"""Opens the models of a planned pair, and closes them in all cases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

from trigreason import bundled
from trigreason.budget import Budget
from trigreason.configuration.planning import PlannedEngine, PlannedPair, PlannedScorer
from trigreason.configuration.schema import EngineSettings
from trigreason.engines.base import Engine, EngineRefused, EngineUnreachable
from trigreason.engines.chat_prefix import ChatPrefixEngine
from trigreason.engines.connect import connect
from trigreason.engines.embedded import check_gguf, load
from trigreason.engines.embedded.memory import Loading, available_bytes, fitting
from trigreason.engines.http import HttpEngine
from trigreason.engines.pooling import PoolingScorer
from trigreason.engines.scorer import Scorer
from trigreason.pairs import Pair
from trigreason.reasoning import KNOWN_TAGS, THINK_TAGS, Author, Prices

QUESTION_TOKENS = 6144
"""Tokens for the question in a GGUF model's context, besides thinking and answer."""

BOTH = frozenset(Author)


@asynccontextmanager
async def opened_pair(
    plan: PlannedPair,
    environ: Mapping[str, str],
    needed: frozenset[Author] = BOTH,
    *,
    slots: int = 1,
    caching: bool = True,
) -> AsyncIterator[Pair]:
    """Open the pair's models concurrently, and close them on leaving.

    Only the models in ``needed`` are opened; the other one must not be used. Keys are read from
    ``environ`` now, and only the engines keep them. Models that are loaded into this process serve
    ``slots`` runs at once, or the configured number, or fewer if memory is short. With ``caching``
    off they prefill every prompt from its start. A scorer is not asked for anything yet.

    Raises:
        EngineError: a model cannot be reached or loaded.
        ConfigurationError: a key is missing, or a template cannot be read.
    """
    settings = plan.settings
    async with AsyncExitStack() as stack:
        scorer = _scorer(plan.scorer, environ) if plan.scorer else None
        if scorer is not None:
            stack.push_async_callback(scorer.close)
        if plan.is_bundled:
            pair = await bundled.load_pair(slots=slots, caching=caching)
            stack.push_async_callback(pair.close)
            yield replace(
                pair,
                thresholds=settings.thresholds,
                failure=settings.failure,
                hiding=settings.hiding,
                scorer=scorer,
            )
            return
        planned = {author: plan.engines[author] for author in sorted(needed, reverse=True)}
        engines = await _open_all(planned, environ, settings.budget, slots, caching, stack)
        yield Pair(
            engines.get(Author.SRM) or engines[Author.LRM],
            engines.get(Author.LRM) or engines[Author.SRM],
            plan.name,
            thresholds=settings.thresholds,
            step_break=settings.step_break,
            alternatives=settings.alternatives,
            logprob_scale=settings.logprob_scale,
            judge=settings.judge,
            bound_answer=settings.bound_answer,
            failure=settings.failure,
            hiding=settings.hiding,
            prices=_prices(planned),
            scorer=scorer,
        )


def _scorer(plan: PlannedScorer, environ: Mapping[str, str]) -> Scorer:
    settings = plan.settings
    return PoolingScorer(
        settings.url,
        settings.model or "",
        prompt=settings.prompt,
        price=settings.price,
        breaker=settings.breaker,
        api_key=plan.api_key(environ),
        timeouts=settings.timeouts,
    )


def _prices(engines: Mapping[Author, PlannedEngine]) -> dict[Author, Prices]:
    named = {author: engine.settings.prices for author, engine in engines.items()}
    return {author: prices for author, prices in named.items() if prices is not None}


async def _open_all(
    by_author: Mapping[Author, PlannedEngine],
    environ: Mapping[str, str],
    budget: Budget,
    slots: int,
    caching: bool,
    stack: AsyncExitStack,
) -> dict[Author, Engine]:
    """Open each engine once, even if both authors use it; ``stack`` closes them."""
    planned = {engine.name: engine for engine in by_author.values()}
    keys = {name: engine.api_key(environ) for name, engine in planned.items()}
    planned = {name: await engine.with_file() for name, engine in planned.items()}
    loadings = await asyncio.to_thread(_loadings, planned, budget, slots)
    opened: dict[str, Engine] = {}

    async def open_one(name: str, engine: PlannedEngine) -> None:
        if name in loadings:
            opened[name] = await _loaded(engine, loadings[name], caching)
        else:
            opened[name] = await _connected(engine, keys[name])
        stack.push_async_callback(opened[name].close)
        _configure(opened[name], engine.settings)

    try:
        async with asyncio.TaskGroup() as group:
            for name, engine in planned.items():
                group.create_task(open_one(name, engine))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    return {author: opened[engine.name] for author, engine in by_author.items()}


async def _connected(engine: PlannedEngine, api_key: str | None) -> Engine:
    settings = engine.settings
    try:
        return await connect(
            f"{settings.model}@{settings.url}" if settings.model else f"{settings.url}",
            api_key=api_key,
            dialect=settings.dialect,
            template=engine.template(),
            timeouts=settings.timeouts,
        )
    except EngineUnreachable as error:
        if engine.serve is None:
            raise
        advice = f"Start it: {engine.serve}"
        raise EngineUnreachable(error.what, error.where, advice) from error


async def _loaded(engine: PlannedEngine, loading: Loading, caching: bool) -> Engine:
    template = engine.template()
    loaded = await load(
        loading.file,
        context_tokens=loading.context_tokens,
        options=loading.options,
        caching=caching,
        draft=loading.draft,
        kept_bytes=loading.kept_bytes,
    )
    if template is not None:
        loaded.template = template
        loaded.tags = template.tags
        loaded.tool_form = template.tool_form
    return loaded


def _loadings(
    planned: Mapping[str, PlannedEngine], budget: Budget, slots: int
) -> dict[str, Loading]:
    """How to load each GGUF file within the available memory.

    Raises:
        EngineFailed: there is too little memory for all of them together.
        NotAModel: a file is not a GGUF file.
    """
    room = budget.thinking_tokens + budget.answer_tokens + QUESTION_TOKENS
    loadings: dict[str, Loading] = {}
    for name, engine in planned.items():
        settings = engine.settings
        if settings.file is not None:
            check_gguf(settings.file)
            tokens = settings.context_tokens or room
            loadings[name] = Loading(settings.file, tokens, settings.llama_cpp, engine.draft_file)
    if not loadings:
        return {}
    fitted = fitting(list(loadings.values()), slots, available_bytes())
    return dict(zip(loadings, fitted, strict=True))


def _configure(engine: Engine, settings: EngineSettings) -> None:
    """Override what the model reports of itself by what the settings say."""
    engine.breaker = settings.breaker
    with_thinking(engine, settings)
    if settings.session_header is not None and isinstance(engine, HttpEngine):
        engine.session_header = settings.session_header
    overrides = {
        "logprob_scale": settings.logprob_scale,
        "context_tokens": settings.context_tokens,
    }
    changes: Any = {name: value for name, value in overrides.items() if value is not None}
    engine.capabilities = replace(engine.capabilities, **changes)


def with_thinking(engine: Engine, settings: EngineSettings) -> Engine:
    """Set the engine's thinking tags, if the settings name them, and return the engine.

    Raises:
        EngineRefused: its server renders the prompt, and cannot open other tags.
    """
    if settings.thinking is not None:
        engine.tags = {tags.opening: tags for tags in KNOWN_TAGS}.get(settings.thinking)
    if isinstance(engine, ChatPrefixEngine) and engine.tags not in (None, THINK_TAGS):
        raise EngineRefused(
            f"its server renders the prompt, so no thinking can be opened with {settings.thinking}",
            engine.where,
            'Leave thinking out, or set thinking = "open".',
        )
    return engine
