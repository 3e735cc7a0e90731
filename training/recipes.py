"""The two models of the pair: their shapes and how long each learns."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

FAMILIES = (
    "tracking_shuffled_objects_three_objects",
    "tracking_shuffled_objects_five_objects",
    "tracking_shuffled_objects_seven_objects",
    "boolean_expressions",
    "web_of_lies",
    "navigate",
    "object_counting",
)
VOCAB = 1280
WAITS_FOR = {
    "tracking_shuffled_objects_five_objects": "tracking_shuffled_objects_three_objects",
    "tracking_shuffled_objects_seven_objects": "tracking_shuffled_objects_five_objects",
}
WAITED = 0.3
"""The rate from which a family's successor is learned too."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """One model's training. Learning rates are peaks; a step is two micro-batches."""

    name: str
    width: int
    layers: int
    feed_forward: int
    steps: int
    decay: tuple[tuple[int, float], ...]
    """(step, share of the peak rates), from the last step at the peak to the last of all."""
    copy_until: int
    """The step until which one in 15 is a copy drill, once lookup works."""
    seed: int
    round_steps: int = 100
    muon_rate: float = 0.02
    adam_rate: float = 3e-3
    judge_shares: tuple[tuple[int, float], ...] = ()
    """(step, share of documents that are steps to rate), each from that step on."""
    error_sense_from: int = 1_000_000
    """The step from which noticing errors weighs more: hopeless before the chains are known."""
    probe_from: int = 1_000_000
    """The step from which a probe has to see flawed tokens, and noticing weighs less again."""
    families: tuple[str, ...] = FAMILIES

    def judge_share(self, step: int) -> float:
        return max((share for start, share in self.judge_shares if start <= step), default=0.0)

    def rate_factor(self, step: int) -> float:
        """Warm-up over 50 steps, the peak, then straight lines between the points of `decay`."""
        if step <= self.decay[0][0]:
            return min((step + 1) / 50, 1.0)
        for (start, above), (end, below) in pairwise(self.decay):
            if step <= end:
                return above + (below - above) * (step - start) / (end - start)
        return 0.0


RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe(
            "lrm",
            width=128,
            layers=6,
            feed_forward=256,
            steps=5500,
            decay=(
                (1699, 1.0),
                (1700, 0.97),
                (3700, 0.3),
                (3750, 0.45),
                (4600, 0.17),
                (4650, 0.35),
                (5100, 0.11),
                (5120, 0.35),
                (5500, 0.0),
            ),
            copy_until=1840,
            seed=1,
            judge_shares=((0, 0.12), (4200, 0.3), (5100, 0.5)),
            error_sense_from=1700,
            probe_from=3700,
        ),
        Recipe(
            "srm",
            width=64,
            layers=2,
            feed_forward=128,
            steps=3000,
            decay=((1050, 1.0), (3000, 0.0)),
            copy_until=1200,
            seed=2,
            round_steps=50,
            error_sense_from=1200,
        ),
    )
}


def mix_for(rates: dict[str, float], families: tuple[str, ...]) -> dict[str, float]:
    """Weights of the families for a round, from their solve rates before it.

    A family's weight grows with what it still gets wrong; one that waits for another has none yet.
    """
    return {
        name: 0.25 + (1.0 - rates.get(name, 0.0))
        for name in families
        if name not in WAITS_FOR or rates.get(WAITS_FOR[name], 0.0) >= WAITED
    }
