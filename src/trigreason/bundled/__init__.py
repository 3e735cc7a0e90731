"""The pair that comes along: two small transformers, their thresholds, and problems to try.

See ``docs/bundled-pair.md`` for how they were made and what they can do.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import NamedTuple

from trigreason.bundled.families import FAMILIES
from trigreason.engines.embedded import LlamaCppOptions, load
from trigreason.pairs import JudgePrompt, Pair
from trigreason.reasoning import Thresholds

FOLDER = Path(__file__).parent
SRM_FILE = FOLDER / "srm.gguf"
LRM_FILE = FOLDER / "lrm.gguf"
CONTEXT_TOKENS = 1024
"""The context length, in tokens, that both models were trained on."""


class Problem(NamedTuple):
    """A problem of a bundled family in the published format, and its answer."""

    family: str
    question: str
    target: str


def problems() -> list[Problem]:
    """Generated problems; none was published, and none was in the training data."""
    lines = (FOLDER / "problems.jsonl").read_text(encoding="utf-8").splitlines()
    return [Problem(**json.loads(line)) for line in lines]


def can_solve(question: str) -> bool:
    """Whether a question has the form of one of the families that this pair was trained on."""
    for name in {problem.family for problem in problems()}:
        try:
            FAMILIES[name].solve(question)
        except ValueError:
            continue
        return True
    return False


def profile() -> Thresholds:
    """The thresholds that fit this pair; ``pair.toml`` says what they were measured on."""
    return Thresholds.from_json(_settings()["thresholds"])


async def load_pair(*, slots: int = 1, caching: bool = True) -> Pair:
    """Both models, loaded in this process. ``slots`` is how many runs they serve at once.

    Without ``caching`` every prompt is read in full; see :func:`trigreason.engines.embedded.load`.
    """
    settings = _settings()
    options = LlamaCppOptions(slots=slots)
    srm = await load(SRM_FILE, context_tokens=CONTEXT_TOKENS, options=options, caching=caching)
    lrm = await load(LRM_FILE, context_tokens=CONTEXT_TOKENS, options=options, caching=caching)
    judge = JudgePrompt(settings["judge"]["question"], settings["judge"]["opening"])
    return Pair(srm, lrm, "bundled", thresholds=profile(), judge=judge)


def _settings() -> dict[str, dict[str, str]]:
    return tomllib.loads((FOLDER / "pair.toml").read_text(encoding="utf-8"))
