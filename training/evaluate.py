"""Measure the exported pair: `python -m training.evaluate --results FILE`.

Solve rates are of greedy answers by llama.cpp, on the published problems if TRIGREASON_DATA names a
folder that holds bbh/*.json, else on held-out generated ones. All numbers go to FILE and to
the screen as JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from math import exp
from pathlib import Path
from typing import Any

import torch

from training.attempts import Attempt, Attempted, attempt, auc, hesitates, problems
from training.data import judge_prompt, prompt
from training.export import read_checkpoint
from training.held_out import development
from training.judging import RIGHT, judge_example
from training.model import Model
from training.recipes import FAMILIES
from training.serving import Llama
from training.slips import without_slips
from training.tokenizer import load

ROOT = Path(__file__).parents[1]
BUNDLED = ROOT / "src/trigreason/bundled"
RUNS = ROOT / "training/runs"
SPEED_TOKENS = 256
CHOICES = 20
"""Of a judge's first token: both digits should be among them."""


def solve_rates(attempts: dict[str, list[Attempt]]) -> dict[str, float]:
    return {name: sum(a.solved for a in group) / len(group) for name, group in attempts.items()}


def signals(steps: Sequence[Attempted]) -> dict[str, float]:
    """AUC of each signal as a mark of wrong steps: .5 is chance, below it points the other way."""
    wrong = [step for step in steps if not step.right]
    right = [step for step in steps if step.right]
    return {
        "wrong_steps": len(wrong),
        "right_steps": len(right),
        "auc_high_sure_share": auc([s.sure_share for s in wrong], [s.sure_share for s in right]),
        "auc_low_minimum_logprob": auc([-s.lowest for s in wrong], [-s.lowest for s in right]),
    }


def judge_margins(llama: Llama, prompts: Sequence[str]) -> list[float]:
    """For each judging prompt, log P(9) - log P(0) of the first token, in nats."""
    margins = []
    for answer in llama.complete(prompts, max_tokens=1, choices=CHOICES):
        digits = answer.first_choices
        floor = min(digits.values())
        margins.append(digits.get("9", floor) - digits.get("0", floor))
    return margins


def judge_generated(llama: Llama) -> float:
    """The judge's AUC on held-out problems, half of whose steps were corrupted by rule."""
    prompts, right = [], []
    for family in FAMILIES:
        for index, solution in enumerate(development(family)):
            rng = random.Random(f"{family} {index}")
            example = judge_example(without_slips(solution), rng)
            prompts.append(judge_prompt(example.question, example.steps_so_far))
            right.append(example.digit == RIGHT)
    margins = judge_margins(llama, prompts)
    return auc(
        [m for m, ok in zip(margins, right, strict=True) if ok],
        [m for m, ok in zip(margins, right, strict=True) if not ok],
    )


def rated_steps(attempts: Sequence[Attempt]) -> list[tuple[Attempt, int]]:
    """Of each attempt one right step that another follows, and the first wrong one, by index."""
    chosen = []
    for index, tried in enumerate(attempts):
        good = [i for i, step in enumerate(tried.steps[:-1]) if step.right]
        if good:
            chosen.append((tried, random.Random(index).choice(good)))
        chosen += [(tried, i) for i, step in enumerate(tried.steps) if not step.right]
    return chosen


def judge_attempts(llama: Llama, attempts: Sequence[Attempt]) -> dict[str, float]:
    """How well the LRM tells the SRM's right steps from its wrong ones, as AUC.

    Once by the digit that it is asked for, once by its own inclination to hesitate next.
    """
    rated = rated_steps(attempts)
    right = [tried.steps[i].right for tried, i in rated]
    before = [
        (tried.solution.question, tuple(step.text for step in tried.steps[: i + 1]))
        for tried, i in rated
    ]
    digits = judge_margins(llama, [judge_prompt(*parts) for parts in before])
    going_on = [
        prompt(question) + "".join(f"{step}\n\n" for step in steps) for question, steps in before
    ]
    doubts = [
        -sum(exp(logprob) for word, logprob in answer.first_choices.items() if hesitates(word))
        for answer in llama.complete(going_on, max_tokens=1, choices=CHOICES)
    ]
    result = {"steps": float(len(rated)), "wrong_steps": float(right.count(False))}
    for name, margins in (("auc_by_digit", digits), ("auc_by_hesitation", doubts)):
        good = [margin for margin, ok in zip(margins, right, strict=True) if ok]
        result[name] = auc(good, [m for m, ok in zip(margins, right, strict=True) if not ok])
    return result


def tokens_per_second(path: Path) -> float:
    """Generated tokens per second of one stream on one thread, prompt time included."""
    with Llama(path, slots=1) as llama:
        prompts = [prompt(solution.question) for solution in development(FAMILIES[2])[:4]]
        llama.complete(prompts[:1], max_tokens=8)
        started = time.perf_counter()
        written = sum(len(g.tokens) for g in llama.complete(prompts, max_tokens=SPEED_TOKENS))
        return written / (time.perf_counter() - started)


@torch.no_grad()
def agreement(model: Model, attempts: Sequence[Attempt]) -> dict[str, float]:
    """llama.cpp against torch on the attempts' tokens, log-probabilities and choices."""
    tokenizer = load(RUNS / "tokenizer.json")
    largest, same, total = 0.0, 0, 0
    for tried in attempts:
        before = tokenizer.encode(prompt(tried.solution.question)).ids
        ids = tokenizer.encode(prompt(tried.solution.question) + tried.generated.text).ids
        if len(ids) - len(before) != len(tried.generated.tokens):
            continue  # the model wrote a word in other pieces than the tokenizer would
        hidden = model(torch.tensor(ids), [len(ids)])
        logprobs = torch.log_softmax(model.head(hidden[len(before) - 1 : -1]), -1)
        written = torch.tensor(ids[len(before) :])
        ours = logprobs.gather(1, written.unsqueeze(1)).squeeze(1)
        theirs = torch.tensor([logprob for _, logprob in tried.generated.tokens])
        largest = max(largest, (ours - theirs).abs().max().item())
        same += int((logprobs.argmax(-1) == written).sum())
        total += len(written)
    return {"largest_difference_nats": largest, "same_choice": same / total, "tokens": total}


def measure(name: str, published: Path | None) -> tuple[dict[str, Any], list[Attempt]]:
    """What is measured of one model alone, except its speed, and its attempts."""
    with Llama(BUNDLED / f"{name}.gguf") as llama:
        attempts = {family: attempt(llama, problems(family, published)) for family in FAMILIES}
    flat = [tried for group in attempts.values() for tried in group]
    model = read_checkpoint(RUNS / f"{name}.pt")
    result = {
        "parameters": model.parameter_count(),
        "shape": asdict(model.shape),
        "training": torch.load(RUNS / f"{name}.pt", weights_only=True)["progress"],
        "solve_rates": solve_rates(attempts),
        "solved": sum(tried.solved for tried in flat) / len(flat),
        "tokens_per_answer": sum(len(tried.generated.tokens) for tried in flat) / len(flat),
        "hesitating_answers": sum(tried.hesitates for tried in flat) / len(flat),
        "signals": signals([step for tried in flat for step in tried.steps]),
        "gguf_against_torch": agreement(model, flat[::20]),
    }
    return result, flat


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True)
    target: Path = parser.parse_args().results
    folder = os.environ.get("TRIGREASON_DATA")
    published = Path(folder) if folder else None
    torch.set_num_threads(1)
    with ThreadPoolExecutor(2) as pool:
        srm, lrm = pool.map(measure, ("srm", "lrm"), (published, published))
    results: dict[str, Any] = {
        "problems": "published" if published else "generated",
        "srm": srm[0],
        "lrm": lrm[0],
    }
    with Llama(BUNDLED / "lrm.gguf") as llama:
        results["judge"] = {
            "auc_generated_slips": judge_generated(llama),
            "srm_steps": judge_attempts(llama, srm[1]),
        }
    for name in ("srm", "lrm"):
        results[name]["tokens_per_second"] = tokens_per_second(BUNDLED / f"{name}.gguf")
    target.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
