"""What brings the LRM in: the paper's three triggers (section 3.2), SpecReason's and RSD's.

Each is an immutable set of thresholds with its equation. The state of a run (the hesitation
streak, the steps still owed) belongs to the method, not to the trigger.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from trigreason.reasoning.field_docs import Bounds
from trigreason.reasoning.hesitation import HESITATION_EXPRESSIONS, find_hesitations
from trigreason.reasoning.steps import Step
from trigreason.reasoning.tokens import low_perplexity_ratio

STEPS = Bounds(0)
STREAK = Bounds(1)
PERPLEXITY = Bounds(1)
SHARE = Bounds(0, 1)
SCORE = Bounds(0, 9)
NATS = Bounds(0)


class Trigger(StrEnum):
    """Why the LRM was asked to write."""

    STRATEGIC_PRIMING = "strategic_priming"
    COGNITIVE_OFFLOAD = "cognitive_offload"
    INTERVENTION_REQUEST = "intervention_request"
    JUDGE_REJECTION = "judge_rejection"
    LOW_REWARD = "low_reward"
    REPETITION = "repetition"

    METHOD = "method"
    """The reason of a method that needs no name for it."""


class Direction(StrEnum):
    """Which side of rho marks a step as risky."""

    OVER = "over"
    """The paper: too many tokens are certain. Fires when r > rho."""

    UNDER = "under"
    """The opposite: too few tokens are certain. Fires when r < rho."""


@dataclass(frozen=True, slots=True)
class StrategicPriming:
    """The LRM writes the first ``n`` steps, eqs. 1 and 2; n = 0 switches it off."""

    n: int = 20

    def __post_init__(self) -> None:
        STEPS.check("n (priming steps)", self.n)


@dataclass(frozen=True, slots=True)
class CognitiveOffload:
    """The LRM rewrites an SRM step whose low-perplexity ratio is out of bounds, eqs. 3 to 6.

    ``tau`` is the perplexity below which a token counts as certain, ``rho`` the bound on the
    ratio r_s of such tokens. Both comparisons are strict. rho = 1 switches the trigger off, in
    either direction.
    """

    tau: float = 1.05
    rho: float = 0.85
    direction: Direction = Direction.OVER

    def __post_init__(self) -> None:
        PERPLEXITY.check("tau (perplexity)", self.tau)
        SHARE.check("rho (a share of tokens)", self.rho)

    @property
    def is_off(self) -> bool:
        return self.rho == 1 or (self.rho == 0 and self.direction is Direction.UNDER)

    def ratio(self, step: Step) -> float | None:
        """r_s of eq. 4; None where no token of the step has a probability."""
        return low_perplexity_ratio((token.logprob for token in step.tokens), self.tau)

    def fires(self, ratio: float | None) -> bool:
        """Eq. 5, or its mirror image for ``Direction.UNDER``."""
        if ratio is None:
            return False
        is_beyond = ratio > self.rho if self.direction is Direction.OVER else ratio < self.rho
        return is_beyond and not self.is_off


@dataclass(frozen=True, slots=True)
class InterventionRequest:
    """The LRM writes ``m`` steps once ``k`` successive SRM steps hesitate, eqs. 7 to 9.

    m = 0 switches it off. The paper does not give k.
    """

    k: int = 2
    m: int = 1
    expressions: tuple[str, ...] = HESITATION_EXPRESSIONS

    def __post_init__(self) -> None:
        STREAK.check("k (hesitating steps in a row)", self.k)
        STEPS.check("m (rectification steps)", self.m)

    @property
    def is_off(self) -> bool:
        return self.m == 0

    def hesitations(self, step: Step) -> tuple[str, ...]:
        """The expressions of H in the step; h_s of eq. 7 is whether there are any."""
        return find_hesitations(step.text, self.expressions)

    def fires(self, streak: int) -> bool:
        """Eq. 8: whether ``streak`` hesitating steps in a row are enough."""
        return streak >= self.k and not self.is_off


@dataclass(frozen=True, slots=True)
class JudgeRejection:
    """SpecReason's trigger: the LRM rewrites a step that it scores below ``accept``, of 0 to 9."""

    accept: float = 7

    def __post_init__(self) -> None:
        SCORE.check("accept (a score)", self.accept)

    def fires(self, score: float) -> bool:
        return score < self.accept


@dataclass(frozen=True, slots=True)
class RewardRejection:
    """RSD's trigger: the LRM rewrites a step with a reward below ``delta``, of 0 to 1."""

    delta: float = 0.7

    def __post_init__(self) -> None:
        SHARE.check("delta (a reward)", self.delta)

    def fires(self, reward: float) -> bool:
        return reward < self.delta
