"""Methods that decide on how an SRM step begins, before it is written."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from trigreason.reasoning.methods.base import REWRITE, SRM_WRITES, Method, Rewrite, Write, rest_of
from trigreason.reasoning.reading import Features, Reading
from trigreason.reasoning.steps import Author
from trigreason.reasoning.switch_cues import begins_with_cue
from trigreason.reasoning.triggers import Trigger

FIRST_WORDS = 8
"""Tokens that are enough for the words with which a step begins."""


@dataclass(slots=True, kw_only=True)
class GlimpRouter(Method):
    """GlimpRouter (arXiv 2601.05110): the entropy of a step's first token decides who writes it.

    The SRM writes one token. If its entropy, in nats, is above ``entropy``, the token is thrown
    away and the LRM writes the step, else the SRM does. A server shows its likeliest tokens alone,
    so the entropy here is a lower bound; see :func:`~trigreason.reasoning.top_logprobs.entropy`.
    """

    entropy: float

    def open(self) -> Write:
        return SRM_WRITES

    def on_step(self, reading: Reading) -> Write | Rewrite:
        is_unsure = reading.author is Author.SRM and self.drops(reading.features)
        return REWRITE if is_unsure else SRM_WRITES

    @property
    def glance(self) -> int:
        return 1

    def drops(self, features: Features) -> bool:
        nats = features.top.first_entropy
        return nats is not None and nats > self.entropy and not features.is_blank

    @property
    def revises(self) -> bool:
        return True

    @property
    def needs_logprobs(self) -> bool:
        return True

    @property
    def needs_alternatives(self) -> bool:
        return True


REFLECTION = ("wait", "alternatively", "hold on", "hmm", "but wait", "another thought")
AFFIRMATION = ("yeah", "yes", "that's right", "that is right", "final answer", "exactly")
VERIFICATION = ("verify", "let me verify", "let me check", "let me double-check", "double-check")
"""How steps begin that reflect, affirm or verify.

These are our phrases, around words of the kind that the authors' code looks for, such as "wait",
"alternatively" and "verify".
"""

_CUES = re.compile(
    rf"\W*(?:so,? |okay,? |ok,? )?(?:{'|'.join((*REFLECTION, *AFFIRMATION, *VERIFICATION))})\b",
    re.IGNORECASE,
)


@dataclass(slots=True, kw_only=True)
class SpeculativeThinking(Method):
    """Speculative Thinking (arXiv 2504.12329): the LRM writes steps that begin with a cue.

    An SRM step that begins with reflection, affirmation or verification is thrown away, and the
    LRM writes ``m`` steps from there. The paper counts the LRM's tokens instead, and the LRM takes
    over for longer after many reflections.
    """

    m: int
    _owed: int = field(default=0, init=False, repr=False, compare=False)

    def open(self) -> Write:
        self._owed = 0
        return SRM_WRITES

    def on_step(self, reading: Reading) -> Write | Rewrite:
        if reading.author is Author.LRM:
            self._owed -= 1
            return rest_of(self._owed)
        if self.drops(reading.features):
            self._owed = self.m
            return REWRITE
        return SRM_WRITES

    @property
    def glance(self) -> int:
        return FIRST_WORDS

    def drops(self, features: Features) -> bool:
        return self.m > 0 and _CUES.match(features.text) is not None

    @property
    def authors(self) -> frozenset[Author]:
        return frozenset(Author) if self.m else frozenset({Author.SRM})

    @property
    def revises(self) -> bool:
        return self.m > 0


@dataclass(slots=True, kw_only=True)
class RelayGen(Method):
    """RelayGen (arXiv 2602.06454): the SRM writes the steps that begin with a switch cue.

    The authors' LRM writes until it has written a cue, in whatever sentence; the SRM then writes
    that sentence to its end, and the LRM goes on. Here a handover takes effect at a step: the LRM
    writes the first one, and from then on the SRM begins each step. Where its first words are no
    cue they are thrown away and the LRM writes the step. So the cue is the SRM's and begins a step,
    the SRM writes a whole step, and each step of the LRM costs a request to the SRM as well. The
    authors' SRM also writes the answer; here the model that ends the thinking does.
    """

    cues: tuple[str, ...]

    def open(self) -> Write:
        return Write(Author.LRM, 1, Trigger.METHOD)

    def on_step(self, reading: Reading) -> Write | Rewrite:
        is_hard = reading.author is Author.SRM and self.drops(reading.features)
        return REWRITE if is_hard else SRM_WRITES

    @property
    def glance(self) -> int:
        return FIRST_WORDS

    def drops(self, features: Features) -> bool:
        return not (features.is_blank or begins_with_cue(features.text, self.cues))

    @property
    def revises(self) -> bool:
        return True


@dataclass(slots=True, kw_only=True)
class SplitReason(Method):
    """SplitReason (arXiv 2504.16379), and PyroDash: the SRM itself asks for the LRM, by a tag.

    Its model is trained to write ``<bigmodel>`` before a difficult part. After a step with the tag
    the LRM writes ``m`` steps.
    """

    tag: str
    m: int
    _owed: int = field(default=0, init=False, repr=False, compare=False)

    def open(self) -> Write:
        self._owed = 0
        return SRM_WRITES

    def on_step(self, reading: Reading) -> Write:
        if reading.author is Author.LRM:
            self._owed -= 1
            return rest_of(self._owed)
        if self.tag not in reading.features.text or not self.m:
            return SRM_WRITES
        self._owed = self.m
        return Write(Author.LRM, self.m, Trigger.METHOD)

    @property
    def authors(self) -> frozenset[Author]:
        return frozenset(Author) if self.m else frozenset({Author.SRM})
