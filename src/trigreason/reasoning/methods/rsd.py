"""RSD, Reward-guided Speculative Decoding (arXiv 2501.19324): a reward model rates each SRM step.

A step stands if its reward is at least delta, the paper's binary step function; otherwise the LRM
writes it. The public script (github.com/BaohaoLiao/RSD) has 0.7 for delta.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from trigreason.reasoning.methods.base import SRM_WRITES, Method, Reward, Rewrite, Write
from trigreason.reasoning.reading import Reading
from trigreason.reasoning.steps import Author
from trigreason.reasoning.triggers import RewardRejection, Trigger


@dataclass(slots=True, kw_only=True)
class Rsd(Method):
    """The LRM rewrites the steps of low reward. A blank step is not rated."""

    rejection: RewardRejection = field(default_factory=RewardRejection)

    def open(self) -> Write:
        return SRM_WRITES

    def on_step(self, reading: Reading) -> Write | Reward:
        if reading.author is Author.LRM or reading.is_blank:
            return SRM_WRITES
        return Reward()

    def on_reward(self, reward: float) -> Write | Rewrite:
        if not self.rejection.fires(reward):
            return SRM_WRITES
        return Rewrite(Author.LRM, Trigger.LOW_REWARD)

    @property
    def revises(self) -> bool:
        return True

    @property
    def needs_scorer(self) -> bool:
        return True
