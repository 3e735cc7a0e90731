"""The pair of real models, and what makes a run of it this run and no other."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import trigreason
from bench.common import machine
from trigreason import bundled
from trigreason.budget import Budget
from trigreason.configuration import PairSettings, PlannedPair, bundled_pair, engine_at
from trigreason.engines.base import Sampling
from trigreason.evaluation.answering import measured
from trigreason.pairs import JudgePrompt, Pair
from trigreason.reasoning import Author, Thresholds
from trigreason.studies.calibration.setting import Setting

MODELS_VARIABLE = "TRIGREASON_MODELS"
CACHE = Path("~/.cache/trigreason-models")
FILES = {
    Author.SRM: "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
    Author.LRM: "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
}
NAME = "Qwen2.5-Coder 0.5B with 1.5B"

SAMPLING = Sampling(temperature=0, top_p=1)
BUDGET = Budget(thinking_tokens=1024, answer_tokens=64)

JUDGE = JudgePrompt(
    "Rate the last step of the reasoning above from 0 to 9 by one criterion, whether it is "
    "correct: 0 for certainly wrong, 9 for certainly right. Style, wording and usefulness do "
    "not count. Answer with the digit alone."
)
"""What the judge was asked when the first runs were made; today's default also asks whether the
step follows from those before it."""

PROTOCOL = 1
"""Goes up with a change of this program after which the same setting gives other runs."""


KNOWN = frozenset(
    {"n", "tau", "rho", "direction", "k", "m", "accept", "judge_first", "repeats"}
    | {"temperature", "top_p", "top_k", "min_p", "seed"}
    | {"thinking_tokens", "answer_tokens", "step_tokens", "steps", "seconds"}
)
"""The thresholds and limits that there were when the first runs were made. What is added to the
package later makes a setting another one only where it is not at its default."""


@dataclass(frozen=True)
class Measured:
    """A planned pair and the files of its models."""

    plan: PlannedPair
    files: Mapping[Author, Path]
    budget: Budget = BUDGET

    @cached_property
    def models(self) -> dict[str, dict[str, str]]:
        """Each model's file and the SHA-256 of it."""
        return {
            str(author): {"file": file.name, "sha256": _sha256(file)}
            for author, file in sorted(self.files.items(), reverse=True)
        }

    def setting(self, setting: Setting, pair: Pair) -> dict[str, Any]:
        """All that a run hangs on beside its question; ``pair`` is this one, open."""
        tags = pair.lrm.tags
        thresholds = told_of(setting.thresholds.to_json(), Thresholds().to_json())
        return {
            "method": setting.method,
            "thresholds": thresholds,
            "sampling": told_of(asdict(SAMPLING), asdict(Sampling())),
            "models": {str(each): pair.engine(each).model for each in sorted(Author)},
            "base": {
                "protocol": PROTOCOL,
                "models": self.models,
                "budget": told_of(asdict(self.budget), asdict(Budget())),
                "thinking": tags.opening if tags else "open",
                "step_break": str(pair.step_break),
                "logprob_scale": str(pair.logprob_scale),
            },
            "judge": asdict(pair.judge) if setting.method == "specreason" else None,
        }


def real_pair(folder: Path | None = None) -> Measured:
    """The pair in ``folder``, or in the one that TRIGREASON_MODELS names, or else in the cache.

    Raises:
        ValueError: a model's file is not there.
    """
    folder = (folder or Path(os.environ.get(MODELS_VARIABLE) or CACHE)).expanduser()
    files = {author: folder / name for author, name in FILES.items()}
    for file in files.values():
        if not file.is_file():
            raise ValueError(
                f"there is no {file}; put the two GGUF files of Qwen2.5-Coder-Instruct (0.5B and "
                f"1.5B, Q4_K_M) into a folder and name it in {MODELS_VARIABLE}"
            )
    engines = {author: engine_at(str(file), f"--{author}") for author, file in files.items()}
    settings = PairSettings(srm="srm", lrm="lrm").model_copy(
        update={"budget": BUDGET, "judge": JUDGE}
    )
    return Measured(measured(PlannedPair(NAME, settings, engines)), files)


def bundled_stand_in(budget: Budget) -> Measured:
    """The pair that comes along, for a run of this program in seconds."""
    files = {Author.SRM: bundled.SRM_FILE, Author.LRM: bundled.LRM_FILE}
    return Measured(measured(bundled_pair()), files, budget)


def this_machine() -> dict[str, Any]:
    """What a run is made on, in words that are the same for all runs of a session."""
    return {"machine": machine(), "trigreason": trigreason.__version__}


def told_of(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The values that make a setting; see :data:`KNOWN`."""
    return {
        name: value
        for name, value in values.items()
        if name in KNOWN or value != defaults.get(name)
    }


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
