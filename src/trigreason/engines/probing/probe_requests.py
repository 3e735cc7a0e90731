"""The requests of an examination: timed, counted, and with a time limit."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from time import perf_counter

from trigreason.engines.base import (
    Engine,
    EngineUnreachable,
    Finish,
    Prefix,
    Request,
    Sampling,
    Usage,
)
from trigreason.engines.probing.report import Cost
from trigreason.reasoning import Message, Token, join_text

GREEDY = Sampling(temperature=0.0, top_p=1.0)
QUESTION = "not ( True ) and ( True or False ) is"


@dataclass(frozen=True, slots=True)
class Arrival:
    """Tokens that arrived together, ``seconds`` after the request was sent."""

    seconds: float
    tokens: Sequence[Token]


@dataclass(slots=True)
class ProbeAnswer:
    """A response. ``finish`` is None if it was closed before the server had finished."""

    arrivals: list[Arrival] = field(default_factory=list)
    finish: Finish | None = None
    usage: Usage = field(default_factory=Usage)
    seconds: float = 0.0

    @property
    def tokens(self) -> list[Token]:
        return [token for arrival in self.arrivals for token in arrival.tokens]

    @property
    def text(self) -> str:
        return join_text([token.text for token in self.tokens])

    @property
    def generated(self) -> int:
        """The completion tokens that the server reports, or else the number that arrived."""
        return self.usage.completion_tokens or len(self.tokens)

    @property
    def first_token_seconds(self) -> float | None:
        return self.arrivals[0].seconds if self.arrivals else None

    @property
    def spread_seconds(self) -> float:
        """The time from the first arrival to the last."""
        return self.arrivals[-1].seconds - self.arrivals[0].seconds if self.arrivals else 0.0

    @property
    def tokens_per_second(self) -> float | None:
        """The rate of the tokens after the first arrival."""
        rest = self.generated - len(self.arrivals[0].tokens) if self.arrivals else 0
        return rest / self.spread_seconds if rest > 0 and self.spread_seconds > 0 else None


class ProbeRequests:
    """Sends requests to one engine.

    ``silence_seconds`` is the longest wait for the next token. A response is closed after three
    times as long, and keeps the tokens that arrived until then.
    """

    def __init__(self, engine: Engine, place: str, silence_seconds: float) -> None:
        self.engine = engine
        self.place = place
        self.silence_seconds = silence_seconds
        self.cost = Cost()
        self.session = secrets.token_hex(16)
        self.answers: list[ProbeAnswer] = []

    def prefix(self, written: str = "", question: str = QUESTION) -> Prefix:
        """A prefix of the question, and of the thinking written so far."""
        thinking = self.engine.tags is not None
        return Prefix((Message("user", question),), written, thinking)

    async def ask(self, request: Request) -> ProbeAnswer:
        """Send a request and read the response to its end.

        Raises:
            EngineError: see its subclasses; EngineUnreachable if no token arrives in time.
        """
        async with self.streamed(request) as (answer, arrivals):
            async for _ in arrivals:
                if answer.seconds > 3 * self.silence_seconds:
                    break
        return answer

    @asynccontextmanager
    async def streamed(
        self, request: Request
    ) -> AsyncIterator[tuple[ProbeAnswer, AsyncIterator[Arrival]]]:
        """A request: its answer so far, and its arrivals. Leaving the block closes the stream."""
        started = perf_counter()
        answer = ProbeAnswer()
        self.cost.requests += 1
        try:
            async with (
                asyncio.timeout(self.silence_seconds) as patience,
                self.engine.send(replace(request, session=self.session)) as stream,
            ):

                async def arrivals() -> AsyncIterator[Arrival]:
                    async for tokens in stream:
                        now = perf_counter()
                        answer.arrivals.append(Arrival(now - started, tokens))
                        answer.seconds = now - started
                        patience.reschedule(
                            asyncio.get_running_loop().time() + self.silence_seconds
                        )
                        yield answer.arrivals[-1]
                    answer.finish = stream.finish

                answer.usage = stream.usage
                yield answer, arrivals()
        except TimeoutError as error:
            raise EngineUnreachable(
                f"silent for {self.silence_seconds:g} s",
                self.place,
                "Is the model loaded, and is the server free? --silence waits longer.",
            ) from error
        finally:
            answer.seconds = perf_counter() - started
            self.answers.append(answer)
            self.cost.seconds += answer.seconds
            self.cost.prompt_tokens += answer.usage.prompt_tokens or 0
            self.cost.completion_tokens += answer.generated
