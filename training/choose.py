"""Choose the SRM among its training run's checkpoints: the one that solves nearest to TARGET of the
held-out problems.

A model that has not finished learning fails single kinds of step, as real small reasoning models
do; a finished one leaves the LRM nothing to do. `python -m training.choose` prints every
checkpoint's rate and copies the chosen one.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import torch

from training.attempts import attempt
from training.export import read_checkpoint, write_gguf
from training.held_out import development
from training.recipes import FAMILIES
from training.serving import Llama
from training.tokenizer import load
from training.train import RUNS, TOKENIZER

TARGET = 0.6
PROBLEMS = 12
"""Per family and checkpoint."""


def solved(checkpoint: Path) -> dict[str, float]:
    """Share of held-out problems solved, per family, by greedy decoding in llama.cpp."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.gguf"
        write_gguf(read_checkpoint(checkpoint), load(TOKENIZER), checkpoint.stem, file)
        with Llama(file) as llama:
            return {
                family: sum(a.solved for a in attempt(llama, development(family)[:PROBLEMS]))
                / PROBLEMS
                for family in FAMILIES
            }


def knows_something(checkpoint: Path) -> bool:
    """Whether training saw any held-out chain reproduced; the others are not worth decoding."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    return any(rate > 0 for rate in state["progress"]["rates"].values())


def choose(folder: Path) -> Path:
    """The checkpoint in `folder` whose mean solve rate is nearest TARGET."""
    nearest, distance = None, 1.0
    for checkpoint in sorted(folder.glob("step-*.pt")):
        if not knows_something(checkpoint):
            continue
        rates = solved(checkpoint)
        mean = sum(rates.values()) / len(rates)
        print(
            f"{checkpoint.stem} {mean:.3f} " + " ".join(f"{r:.2f}" for r in rates.values()),
            flush=True,
        )
        if abs(mean - TARGET) < distance:
            nearest, distance = checkpoint, abs(mean - TARGET)
    if nearest is None:
        raise ValueError(f"no checkpoint in {folder} solves anything: train longer")
    return nearest


def main() -> None:
    chosen = choose(RUNS / "srm")
    shutil.copy(chosen, RUNS / "srm.pt")
    print(f"chosen: {chosen.stem}")


if __name__ == "__main__":
    main()
