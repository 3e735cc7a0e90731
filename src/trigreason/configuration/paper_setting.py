"""A pair set up as in the paper (§4.1 and §4.5), with nothing more."""

from __future__ import annotations

from dataclasses import replace

from trigreason.budget import Budget
from trigreason.configuration.planning import PlannedPair
from trigreason.engines.base import Sampling
from trigreason.reasoning import Author, Thresholds
from trigreason.reasoning.thresholds import AS_IN_THE_PAPER

RHO = {"DeepSeek-R1-Distill-Qwen-1.5B": 0.85, "Qwen3-0.6B": 0.75}
"""ρ by the SRM's model (§4.1)."""

PRIMING = {"bbh": 5, "arc_challenge": 5}
"""n by task, where it is not 20 (§4.5)."""


def as_in_the_paper(pair: PlannedPair, task: str = "") -> PlannedPair:
    """The pair with the paper's thresholds for ``task``, and its sampling and budget.

    The pair keeps what the paper says nothing about, such as its judge's prompt, its step break
    and its seed.
    """
    changes = {
        "thresholds": paper_thresholds(pair, task),
        "sampling": Sampling(seed=pair.settings.sampling.seed),
        "budget": Budget(),
    }
    return replace(pair, settings=pair.settings.model_copy(update=changes))


def paper_thresholds(pair: PlannedPair, task: str = "") -> Thresholds:
    """The paper's thresholds: ρ by the SRM, .85 for one that the paper lacks; n by the task."""
    srm = pair.engines.get(Author.SRM)
    model = "" if srm is None else str(srm.settings).lower()
    rho = next((rho for name, rho in RHO.items() if name.lower() in model), AS_IN_THE_PAPER.rho)
    return replace(AS_IN_THE_PAPER, rho=rho, n=PRIMING.get(task, AS_IN_THE_PAPER.n))
