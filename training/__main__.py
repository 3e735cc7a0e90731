"""Make the bundled pair from nothing: `python -m training`.

Tokenizer, LRM, SRM, choice of the SRM's checkpoint, export, problems, evaluation. What is already
in training/runs is not made again, and a broken-off run is taken up at its last checkpoint.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys

from training.recipes import RECIPES
from training.train import RUNS, TOKENIZER
from training.workers import keep_memory

BUNDLED = "src/trigreason/bundled"


def run(module: str, *arguments: str) -> None:
    """One stage, in a process of its own: a stage's memory and threads end with it."""
    print(f"== {module} {' '.join(arguments)}", flush=True)
    subprocess.run([sys.executable, "-m", f"training.{module}", *arguments], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", default="2", choices=("1", "2"))
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    keep_memory()
    if not TOKENIZER.exists():
        run("tokenizer", str(TOKENIZER))
    for name in ("lrm", "srm"):
        run("train", name, "--workers", arguments.workers, "--device", arguments.device)
    shutil.copy(RUNS / "lrm" / f"step-{RECIPES['lrm'].steps:06d}.pt", RUNS / "lrm.pt")
    run("choose")
    for name in ("lrm", "srm"):
        gguf, folder = f"{BUNDLED}/{name}.gguf", f"models/{name}"
        run("export", str(RUNS / f"{name}.pt"), "--gguf", gguf, "--hf", folder)
    run("held_out", f"{BUNDLED}/problems.jsonl")
    run("evaluate", "--results", "training/results.json")


if __name__ == "__main__":
    main()
