"""STEER (arXiv 2511.06190): the SRM's own confidence in a step decides who writes it."""

from __future__ import annotations

from dataclasses import dataclass

from trigreason.reasoning.methods.base import REWRITE, SRM_WRITES, Method, Rewrite, Write
from trigreason.reasoning.reading import Reading
from trigreason.reasoning.steps import Author
from trigreason.reasoning.tokens import confidence


@dataclass(slots=True, kw_only=True)
class Steer(Method):
    """The LRM rewrites an SRM step whose confidence is below ``confidence``, strictly.

    The paper's: confidence comes from the SRM's logits alone, two Gaussians are fitted to it
    without labels, and the posterior of the more confident one decides who writes a step.

    Ours: confidence is the geometric mean of the probabilities of the step's tokens, and the
    posterior became this one threshold (see ``studies.calibration.confidence_fitting``). The paper
    decides before a step is written; here the SRM writes it, and the LRM writes it again.
    """

    confidence: float

    def open(self) -> Write:
        return SRM_WRITES

    def on_step(self, reading: Reading) -> Write | Rewrite:
        if reading.author is Author.LRM or reading.is_blank:
            return SRM_WRITES
        certainty = confidence(reading.features.logprobs)
        return REWRITE if certainty is not None and certainty < self.confidence else SRM_WRITES

    @property
    def revises(self) -> bool:
        return True

    @property
    def needs_logprobs(self) -> bool:
        return True
