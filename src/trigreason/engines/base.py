"""The contract between the reasoner and a model on any server.

An engine continues a text token by token. It never decides anything: it does not cut steps, it
does not retry, and it does not know which of the two models it is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, ClassVar, Protocol

from trigreason.engines.breaker import Breaker
from trigreason.engines.guides import Guide
from trigreason.engines.tool_forms import ToolForm
from trigreason.reasoning import THINK_TAGS, Message, Tags, Token, Tool
from trigreason.reasoning.field_docs import FieldDoc

BLANK_LINE = "\n\n"
"""The stop string with which a server ends a single step."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """The text that a model continues: a conversation, and the model's own turn so far.

    ``written`` is the assistant's turn so far, continued from its last character. With
    ``thinking`` it begins inside the thinking, and the engine opens the model's tag exactly once.
    The tags in ``written`` are always ``THINK_TAGS``, whatever the model's own tags are.
    ``tools`` are offered to the model by its own template.
    """

    messages: tuple[Message, ...]
    written: str = ""
    thinking: bool = True
    tools: tuple[Tool, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How tokens are drawn; always sent in full, because servers have defaults of their own.

    ``top_k`` and ``min_p`` are off by default.
    """

    temperature: Annotated[float, FieldDoc("Sampling temperature; 0 is greedy.")] = 0.6
    top_p: Annotated[float, FieldDoc("Draw from the likeliest tokens of this mass.")] = 0.95
    top_k: int | None = None
    min_p: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.temperature <= 5:
            raise ValueError(f"temperature must lie between 0 and 5, not {self.temperature}")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p must lie above 0 and at most at 1, not {self.top_p}")
        if self.top_k is not None and self.top_k < 1:
            raise ValueError(f"top_k must be 1 or more, or None for off, not {self.top_k}")
        if not 0 <= self.min_p <= 1:
            raise ValueError(f"min_p must lie between 0 and 1, not {self.min_p}")

    def for_turn(self, turn: int) -> Sampling:
        """The same with a different seed for each turn of a run (31 bits of SplitMix64).

        So the turns of runs with neighbouring seeds have nothing in common.
        """
        mixed = (self.seed + turn * 0x9E3779B97F4A7C15) % 2**64
        mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB % 2**64
        return replace(self, seed=(mixed ^ mixed >> 31) % 2**31)


@dataclass(frozen=True, slots=True)
class Request:
    """A request to continue ``prefix``.

    Attributes:
        max_tokens: the model writes at most so many.
        alternatives: each token comes with its logprob and so many of the likeliest tokens
            (0: the chosen one alone); None asks for no probabilities.
        needs_logprobs: it is an error if the server sends no logprobs; if False, tokens without
            them have no probability.
        one_step: the server is asked to stop at the first blank line; the stream still gives that
            blank line.
        session: an opaque id that the requests of one run to one model share; servers behind one
            balancer keep their prefix caches if it sends equal ids to the same server.
        guide: the text must be valid under this; an engine whose ``guides`` are off may ignore it.
    """

    prefix: Prefix
    sampling: Sampling
    max_tokens: int
    alternatives: int | None = None
    needs_logprobs: bool = False
    one_step: bool = False
    session: str | None = None
    guide: Guide | None = None


class Finish(StrEnum):
    """Why a server ended a stream by itself."""

    STOP = "stop"
    """The model ended its turn, or a stop string was met."""

    END_OF_TURN = "end of turn"
    """The model ended its turn, and the server says that it was not a stop string."""

    LENGTH = "length"
    """A limit cut the text off: ``max_tokens``, the context, the server's time or the like."""


@dataclass(slots=True)
class Usage:
    """The server's own count of a request's tokens; None for what it did not report.

    ``completion_tokens`` are those generated so far, even if the stream is closed early.
    """

    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None


class TokenStream(Protocol):
    """A running request. Each item is the tokens of one arrival, at least one.

    ``finish`` is None until the server ends the stream; ``usage`` is updated from its reports.
    """

    finish: Finish | None
    usage: Usage

    def __aiter__(self) -> AsyncIterator[Sequence[Token]]: ...


class LogprobScale(StrEnum):
    """Which distribution a server's logprobs belong to."""

    RAW = "raw"
    """Before temperature: vLLM, llama.cpp, Ollama."""

    SAMPLING = "sampling"
    """After temperature: SGLang by default."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can do beyond continuing a prefix.

    Attributes:
        logprobs: it returns the chosen tokens' logprobs while streaming.
        logprob_scale: the distribution that the logprobs belong to.
        max_alternatives: how many likely tokens per position it returns at most.
        context_tokens: prompt and completion together, in tokens; None if unknown.
        bills_closed_streams: a stream closed early may be billed to its end, so a single step
            is best ended by the server.
        guides: the server binds the text to a request's guide while it generates.
    """

    logprobs: bool = True
    logprob_scale: LogprobScale = LogprobScale.RAW
    max_alternatives: int = 20
    context_tokens: int | None = None
    bills_closed_streams: bool = False
    guides: bool = False


class Engine(ABC):
    """One model on one server. Safe to use from many runs at once.

    ``tags`` are the tags of the model's thinking; None for a model that thinks in the open.
    ``tool_form`` is how the model writes calls of tools; None if it cannot be offered any.
    """

    model: str
    capabilities: Capabilities
    tags: Tags | None = THINK_TAGS
    tool_form: ToolForm | None = None

    @cached_property
    def breaker(self) -> Breaker:
        """Decides from the failures of all runs whether this engine gets requests at the moment."""
        return Breaker()

    @abstractmethod
    def send(self, request: Request) -> AbstractAsyncContextManager[TokenStream]:
        """Send a request. Leaving the context closes it, which stops generation.

        Raises (from entering the context or from iterating):
            EngineError: see its subclasses.
        """

    def stream(
        self,
        prefix: Prefix,
        sampling: Sampling,
        *,
        max_tokens: int,
        alternatives: int | None = None,
        needs_logprobs: bool = False,
        one_step: bool = False,
    ) -> AbstractAsyncContextManager[TokenStream]:
        """:meth:`send` a request that is given by its parts, for programs that use one engine."""
        return self.send(
            Request(prefix, sampling, max_tokens, alternatives, needs_logprobs, one_step)
        )

    async def count_tokens(
        self, messages: Sequence[Message], tools: Sequence[Tool] = ()
    ) -> int | None:
        """The tokens of a prompt that offers ``tools``, as this model's own tokenizer counts them.

        None if the server has no way to count them. No text is generated.

        Raises:
            EngineError: the server fails, or the template refuses the conversation.
        """
        return None

    async def close(self) -> None:  # noqa: B027 - most engines hold something; not all do
        """Release connections and memory. The engine cannot be used afterwards."""


@dataclass(eq=False)
class EngineError(Exception):
    """A model could not be used. ``str()`` is one line: what happened, where, what to do.

    ``transient`` says whether the same request may succeed later; ``retry_after`` is when the
    server suggests to retry, in seconds from now. ``sent`` is False if no request was sent, so
    that the error says nothing about the server.
    """

    what: str
    where: str
    advice: str
    details: dict[str, Any] = field(default_factory=dict)
    retry_after: float | None = None
    sent: bool = True
    transient: ClassVar[bool] = False

    def __str__(self) -> str:
        return f"{self.where}: {self.what}. {self.advice}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class EngineUnreachable(EngineError):
    """The server does not answer, or the connection broke."""

    transient = True


class EngineResting(EngineError):
    """The engine failed so often that it gets no requests for a while; nothing was sent."""


class EngineRefused(EngineError):
    """The server refused the request (a 4xx status, or an error in the stream)."""


class PromptRefused(EngineRefused):
    """The model's chat template does not accept this conversation; nothing was sent."""


class EngineBusy(EngineRefused):
    """The server is overloaded, or the key has used up its rate (status 429)."""

    transient = True


class TooManyAlternatives(EngineBusy):
    """The server gives fewer alternatives than were asked for; the engine now asks for fewer."""


class EngineFailed(EngineError):
    """The server failed (a 5xx status, or an answer that cannot be read)."""

    transient = True


class ContextTooLong(EngineRefused):
    """The prefix does not fit into the model's context."""


class NoLogprobs(EngineRefused):
    """Token probabilities are needed, and the server sends none or impossible ones."""


class NoReward(EngineRefused):
    """A reward is needed, and there is no scorer, or one that gives none or an impossible one."""


class AnswerUnfit(EngineRefused):
    """The answer does not fit its guide, nor does a second one after the problem was named."""


class NotAModel(EngineError):
    """The file named as a model does not exist or is not a model."""
