"""Inspect's entry point to this package: the model provider and the tasks."""

from inspect_ai.model import modelapi

from trigreason.evaluation.outputs import PROVIDER
from trigreason.evaluation.provider import PairAPI
from trigreason.evaluation.tasks import (
    aime24,
    aime25,
    arc_challenge,
    bbh,
    bundled,
    gpqa_diamond,
    gsm8k,
    math500,
)

pair = modelapi(name=PROVIDER)(PairAPI)

__all__ = [
    "aime24",
    "aime25",
    "arc_challenge",
    "bbh",
    "bundled",
    "gpqa_diamond",
    "gsm8k",
    "math500",
    "pair",
]
