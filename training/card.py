"""The tables of the model card from the results of `training.evaluate`.

`python -m training.card training/results.json` prints them as Markdown.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

MODELS = ("srm", "lrm")


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    titles = list(head)
    lines = [titles, ["---"] * len(titles), *([str(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def models(results: dict[str, Any]) -> str:
    def row(title: str, values: Iterable[object]) -> list[object]:
        return [title, *values]

    both = [results[name] for name in MODELS]
    return table(
        ["", "SRM", "LRM"],
        [
            row("parameters", [f"{one['parameters']:,}" for one in both]),
            row("layers", [one["shape"]["layers"] for one in both]),
            row("width", [one["shape"]["width"] for one in both]),
            row("feed-forward width", [one["shape"]["feed_forward"] for one in both]),
            row("training steps", [f"{one['training']['step']:,}" for one in both]),
            row("training tokens", [f"{one['training']['tokens'] / 1e6:.1f} M" for one in both]),
            row("minutes of training", [f"{one['training']['seconds'] / 60:.0f}" for one in both]),
            row("tokens per answer", [f"{one['tokens_per_answer']:.0f}" for one in both]),
            row("tokens per second", [f"{one['tokens_per_second']:,.0f}" for one in both]),
            row("answers that hesitate", [percent(one["hesitating_answers"]) for one in both]),
        ],
    )


def solve_rates(results: dict[str, Any]) -> str:
    rates = [results[name]["solve_rates"] for name in MODELS]
    rows = [[family, *(percent(one[family]) for one in rates)] for family in rates[0]]
    rows.append(["all", *(percent(results[name]["solved"]) for name in MODELS)])
    return table(["family", "SRM", "LRM"], rows)


def signals(results: dict[str, Any]) -> str:
    both = [results[name]["signals"] for name in MODELS]
    return table(
        ["", "SRM", "LRM"],
        [
            ["right steps", *(f"{one['right_steps']:,}" for one in both)],
            ["wrong steps", *(f"{one['wrong_steps']:,}" for one in both)],
            [
                "a **high** share of low-perplexity tokens means wrong (the paper's direction)",
                *(f"{one['auc_high_sure_share']:.3f}" for one in both),
            ],
            [
                "a **low** share of low-perplexity tokens means wrong",
                *(f"{1 - one['auc_high_sure_share']:.3f}" for one in both),
            ],
            [
                "a low minimum log-probability means wrong",
                *(f"{one['auc_low_minimum_logprob']:.3f}" for one in both),
            ],
        ],
    )


def checks(results: dict[str, Any]) -> str:
    judge = results["judge"]
    both = [results[name]["gguf_against_torch"] for name in MODELS]
    return "\n".join(
        [
            f"- judge, AUC on slips made by rule: {judge['auc_generated_slips']:.3f}",
            f"- judge, AUC on {judge['srm_steps']['steps']:,.0f} of the SRM's own steps: "
            f"{judge['srm_steps']['auc_by_digit']:.3f}",
            "- the LRM's inclination to hesitate after those steps, as a mark of the wrong ones, "
            f"AUC: {judge['srm_steps']['auc_by_hesitation']:.3f}",
            *(
                f"- {name.upper()}, llama.cpp against torch on {one['tokens']:,} tokens: largest "
                f"difference {one['largest_difference_nats']:.4f} nats, another greedy choice at "
                f"{one['tokens'] * (1 - one['same_choice']):.0f} of them"
                for name, one in zip(MODELS, both, strict=True)
            ),
        ]
    )


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("results", type=Path)
    results = json.loads(parser.parse_args().results.read_text(encoding="utf-8"))
    for part in (models, solve_rates, signals, checks):
        print(part(results), end="\n\n")


if __name__ == "__main__":
    main()
