"""Reading a step: it is read once, recorded, and handed to the method, which only decides.

:class:`Features` hold what does not depend on thresholds, computed once however often the step is
read. A :class:`Reader` follows one run, knows which of its steps stand, and turns the features of
the next step into a :class:`Reading` under one set of thresholds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from typing import NamedTuple

from trigreason.reasoning.hesitation import find_hesitations
from trigreason.reasoning.repetition import (
    AUTHOR_IS_DONE,
    EARLIER_TIMES,
    RECENT_STEPS,
    normalised,
    repeated_run,
    says_little,
)
from trigreason.reasoning.steps import Author, Step, StepEnd
from trigreason.reasoning.thresholds import Thresholds
from trigreason.reasoning.tokens import perplexity
from trigreason.reasoning.top_logprobs import TopLogprobs


class Reading(NamedTuple):
    """What a method decides on after a finished step.

    Attributes:
        author: who wrote the step.
        is_blank: the step is white space only, such as before a bare ``</think>``.
        ratio: r_s of eq. 4; None where no token of the step has a probability.
        hesitations: the expressions of H in it; h_s of eq. 7 is whether there are any.
        repeats: the step repeats itself or steps shortly before it.
        repeated: how many standing steps in a row repeat, counting this one as standing.
        said: the step's text in the form in which steps are compared; see :class:`Features`.
        features: what else the step shows, whatever the thresholds.
    """

    author: Author
    is_blank: bool
    ratio: float | None
    hesitations: tuple[str, ...]
    repeats: bool
    repeated: int
    said: str
    features: Features


class Features:
    """The properties of a step that do not depend on thresholds.

    Attributes:
        text: the step's text as it was written.
        said: the :func:`normalised` text; empty if it is too short for another step to repeat it.
        is_opening: it is the beginning of a step that was thrown away before its end.
        circles: the step repeats itself, whatever came before it.
        ends_thinking: its author ends the thinking with it; such a step never repeats.
        length: the step's tokens.
        logprobs: the logprobs, in nats, of the tokens that have one.
    """

    __slots__ = (
        "_entropy_and_margin",
        "_expressions",
        "_hesitations",
        "_perplexities",
        "_reading",
        "_tau",
        "_tokens",
        "_top",
        "author",
        "circles",
        "ends_thinking",
        "is_blank",
        "is_opening",
        "length",
        "logprobs",
        "said",
        "text",
    )

    def __init__(self, step: Step, top: TopLogprobs | None = None) -> None:
        self.text = step.text
        self._tokens = step.tokens if top is None else ()
        self._top = top
        self.author = step.author
        self.is_blank = step.is_blank
        self.is_opening = step.end is StepEnd.OPENING
        self.ends_thinking = step.end in AUTHOR_IS_DONE
        said = normalised(step.text)
        self.said = "" if says_little(said) else said
        self.circles = not (self.is_blank or self.ends_thinking) and (
            step.end is StepEnd.REPETITION or repeated_run(step.text) is not None
        )
        self.length = len(step.tokens)
        self.logprobs = [token.logprob for token in step.tokens if token.logprob is not None]
        self._perplexities = sorted(map(perplexity, self.logprobs))
        self._entropy_and_margin: tuple[float | None, float | None] | None = None
        self._expressions: tuple[str, ...] = ()
        self._hesitations: tuple[str, ...] = ()
        self._tau: float | None = None

    def ratio(self, tau: float) -> float | None:
        """r_s of eq. 4 under ``tau`` (a perplexity)."""
        ppls = self._perplexities
        return bisect_left(ppls, tau) / len(ppls) if ppls else None

    @property
    def top(self) -> TopLogprobs:
        """The logprobs of the likeliest tokens at each position."""
        if self._top is None:
            self._top = TopLogprobs.of(self._tokens)
        return self._top

    @property
    def entropy_and_margin(self) -> tuple[float | None, float | None]:
        """The entropy (nats) of the first token, and the mean margin of all tokens."""
        if self._entropy_and_margin is None:
            self._entropy_and_margin = self.top.first_entropy, self.top.mean_margin
        return self._entropy_and_margin

    def hesitations(self, expressions: tuple[str, ...]) -> tuple[str, ...]:
        """Which of the ``expressions`` occur in the step."""
        if expressions is not self._expressions:
            self._hesitations = find_hesitations(self.text, expressions)
            self._expressions, self._tau = expressions, None
        return self._hesitations

    def reading(self, tau: float, expressions: tuple[str, ...]) -> Reading:
        """The reading of the step as one that repeats nothing; the last reading is cached."""
        if tau != self._tau or expressions is not self._expressions:
            ratio, hesitations = self.ratio(tau), self.hesitations(expressions)
            self._reading = Reading(
                self.author, self.is_blank, ratio, hesitations, False, 0, self.said, self
            )
            self._tau = tau
        return self._reading


class Reader:
    """Reads the steps of one run under ``thresholds``; ``keep`` says which of them stand."""

    def __init__(self, thresholds: Thresholds) -> None:
        self._tau = thresholds.tau
        self._expressions = thresholds.expressions
        self._looks_for_repetition = thresholds.repeats > 0
        self.restart()

    def restart(self) -> None:
        """Forget the standing steps: a new run begins."""
        self._recent: deque[str] = deque(maxlen=RECENT_STEPS)
        self._repeated = 0

    def read(self, features: Features) -> Reading:
        """Read the next step, which is compared with the standing ones. This changes nothing."""
        reading = features.reading(self._tau, self._expressions)
        if self._looks_for_repetition and self._repeats(features):
            return reading._replace(repeats=True, repeated=self._repeated + 1)
        return reading

    def keep(self, reading: Reading) -> None:
        """The step stands; unless it is blank, the following ones are compared with it."""
        if not reading.is_blank:
            self._repeated = reading.repeated
            self._recent.append(reading.said)

    def _repeats(self, features: Features) -> bool:
        """Whether a step repeats itself, the step before it, or two of those shortly before it."""
        if features.circles:
            return True
        said, recent = features.said, self._recent
        if not said or not recent or features.is_blank or features.ends_thinking:
            return False
        return said == recent[-1] or recent.count(said) >= EARLIER_TIMES
