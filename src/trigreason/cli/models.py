"""From ``--srm`` and ``--lrm`` to a pair that is ready to reason."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from trigreason import bundled
from trigreason.budget import Budget
from trigreason.cli.options import WrongUse
from trigreason.engines.base import Engine
from trigreason.engines.connect import as_file, connect, is_url
from trigreason.engines.embedded import check_gguf, load, split_threads, threads_alone
from trigreason.pairs import Pair
from trigreason.reasoning import Author

QUESTION_TOKENS = 6144
"""Room for the question in a GGUF model's context, beside the thinking and the answer."""


def check_places(places: dict[Author, str | None], needed: frozenset[Author], method: str) -> None:
    """Refuse models that cannot be opened, or too few of them for a method.

    Raises:
        WrongUse: a model that the method needs is not named.
        NotAModel: a file that is named is no GGUF model.
    """
    if not any(places.values()):
        return
    for author in sorted(needed, reverse=True):
        place = places[author]
        if place is None:
            raise WrongUse(
                f"--method {method} needs the {author.upper()} as well: "
                f"add --{author} with a GGUF file, a URL or MODEL@URL"
            )
        if not is_url(place):
            check_gguf(as_file(place))


@asynccontextmanager
async def opened_pair(
    places: dict[Author, str | None], needed: frozenset[Author], budget: Budget
) -> AsyncIterator[Pair]:
    """The pair at these places (the bundled one where none is named), closed on leaving.

    Only the models in ``needed`` are opened; the other side of the pair is then never asked.

    Raises:
        EngineError: a model cannot be reached or loaded.
    """
    async with AsyncExitStack() as stack:
        if not any(places.values()):
            pair = await bundled.load_pair()
            stack.push_async_callback(pair.close)
            yield pair
            return
        named = {author: place for author in needed if (place := places[author])}
        engines: dict[Author, Engine] = {}
        for author in named:
            engines[author] = await _open(author, named, budget)
            stack.push_async_callback(engines[author].close)
        srm = engines.get(Author.SRM) or engines[Author.LRM]
        lrm = engines.get(Author.LRM) or engines[Author.SRM]
        yield Pair(srm, lrm)


async def _open(author: Author, named: dict[Author, str], budget: Budget) -> Engine:
    place = named[author]
    if is_url(place):
        return await connect(place, api_key=os.environ.get(f"TRIGREASON_{author.upper()}_API_KEY"))
    room = budget.thinking_tokens + budget.answer_tokens + QUESTION_TOKENS
    return await load(as_file(place), threads=_threads(author, named), context_tokens=room)


def _threads(author: Author, named: dict[Author, str]) -> int:
    """Threads for a GGUF model, fewer where the other model runs on this machine too."""
    paths = {each: as_file(place) for each, place in named.items() if not is_url(place)}
    if len(paths) == 1:
        return threads_alone(paths[author])
    for_srm, for_lrm = split_threads(paths[Author.SRM], paths[Author.LRM])
    return for_srm if author is Author.SRM else for_lrm
