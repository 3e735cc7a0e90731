"""The defaults that are the paper's, against a table of its values; a moved default fails here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from trigreason.budget import Budget
from trigreason.configuration import (
    PlannedPair,
    as_in_the_paper,
    engine_at,
    paper_thresholds,
    planned_pair,
    presets,
    read_configuration,
)
from trigreason.engines.base import Sampling
from trigreason.pairs import JudgePrompt
from trigreason.paper.item import Item
from trigreason.paper.item_files import catalogue
from trigreason.paper.reproduction import arm_of
from trigreason.reasoning import HESITATION_EXPRESSIONS, Author, Direction, Scoring
from trigreason.reasoning.methods.specreason import COMPARED_FROM, STATES_AN_ANSWER
from trigreason.reasoning.thresholds import AS_IN_THE_PAPER

SETTINGS: dict[str, tuple[str, Any, Any]] = {
    # what: (where the paper or SpecReason's script says it, its value, the value here)
    "n": ("§4.1", 20, AS_IN_THE_PAPER.n),
    "m": ("§4.1", 1, AS_IN_THE_PAPER.m),
    "ρ of DeepSeek-R1-1.5B": ("§4.1", 0.85, AS_IN_THE_PAPER.rho),
    "τ": ("§4.1", 1.05, AS_IN_THE_PAPER.tau),
    "direction": ("eq. 5", Direction.OVER, AS_IN_THE_PAPER.direction),
    "k, which the paper does not give": ("eq. 8", 2, AS_IN_THE_PAPER.k),
    "expressions": ("Table 3", HESITATION_EXPRESSIONS, AS_IN_THE_PAPER.expressions),
    "number of expressions": ("Table 3", 21, len(HESITATION_EXPRESSIONS)),
    "no guard against repetition": ("Algorithm 1", 0, AS_IN_THE_PAPER.repeats),
    "temperature": ("§4.1", 0.6, Sampling().temperature),
    "top_p": ("§4.1", 0.95, Sampling().top_p),
    "top_k and min_p, which it lacks": ("§4.1", (None, 0.0), (Sampling().top_k, Sampling().min_p)),
    "thinking tokens": ("§4.1", 8192, Budget().thinking_tokens),
    "other limits, which it lacks": ("§4.1", (None, None), (Budget().steps, Budget().seconds)),
    "judge's threshold": ("§2.1, --score_threshold", 7, AS_IN_THE_PAPER.accept),
    "SpecReason's priming": ("--first_n_steps_base_model", 0, AS_IN_THE_PAPER.judge_first),
    "SpecReason's stop": ("spec_reason.py", True, AS_IN_THE_PAPER.script_stop),
    "its marks": ("spec_reason.py", ("boxed", "Answer:", "ANSWER:"), STATES_AN_ANSWER),
    "its comparison": ("spec_reason.py, len(steps_so_far) > 2", 3, COMPARED_FROM),
    "tokens of a step": ("spec_reason.py, max_tokens", 512, Budget().step_tokens),
    "scoring": ("--score_method", Scoring.GREEDY, JudgePrompt().scoring),
}


@pytest.mark.parametrize("what", SETTINGS)
def test_a_default_is_the_paper_s(what: str) -> None:
    where, in_the_paper, here = SETTINGS[what]
    assert here == in_the_paper, f"{what} ({where})"


BY_PAIR = {
    ("r1-qwq", "aime24"): (20, 0.85),
    ("r1-qwq", "gpqa_diamond"): (20, 0.85),
    ("r1-qwen3", "aime25"): (20, 0.85),
    ("qwen3-qwq", "aime24"): (20, 0.75),
    ("qwen3-qwen3", "aime24"): (20, 0.75),
    ("r1-qwq", "bbh"): (5, 0.85),
    ("qwen3-qwq", "arc_challenge"): (5, 0.75),
    ("laptop", "aime24"): (20, 0.75),
    ("laptop-math", "bbh"): (5, 0.85),
    ("workstation", "aime24"): (20, 0.85),
    ("bundled", "bundled"): (20, 0.85),
}
"""n by the task (§4.5), ρ by the SRM (§4.1)."""


@pytest.mark.parametrize(("name", "task"), BY_PAIR)
def test_n_is_by_the_task_and_rho_by_the_srm(name: str, task: str) -> None:
    n, rho = BY_PAIR[name, task]
    pair = planned_pair(read_configuration(None, {}), name)
    assert paper_thresholds(pair, task) == replace(AS_IN_THE_PAPER, n=n, rho=rho)


def test_presets_with_the_paper_s_evidence_have_its_rho() -> None:
    configuration = read_configuration(None, {})
    pairs = [planned_pair(configuration, name) for name in presets()]
    of_the_paper = [pair for pair in pairs if presets()[pair.name].evidence == "paper"]
    assert len(of_the_paper) == 4
    for pair in of_the_paper:
        assert pair.settings.thresholds.rho == paper_thresholds(pair).rho, pair.name


def test_a_pair_keeps_what_the_paper_says_nothing_about() -> None:
    pair = planned_pair(read_configuration(None, {}), "r1-qwq")
    own = pair.settings
    changed = own.model_copy(
        update={
            "sampling": Sampling(temperature=0, seed=7),
            "budget": Budget(thinking_tokens=5),
            "judge": JudgePrompt(question="?"),
        }
    )
    settings = as_in_the_paper(replace(pair, settings=changed)).settings
    assert settings.sampling == Sampling(seed=7)
    assert settings.budget == Budget()
    assert (settings.judge, settings.logprob_scale) == (
        JudgePrompt(question="?"),
        own.logprob_scale,
    )


@pytest.mark.parametrize(
    ("srm", "rho"),
    [
        ("qwen/qwen3-0.6b@http://localhost:1/v1", 0.75),
        ("http://localhost:1/v1", 0.85),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B@http://localhost:1/v1", 0.85),
    ],
)
def test_an_srm_is_known_by_its_model_s_name(srm: str, rho: float) -> None:
    pair = planned_pair(read_configuration(None, {}), "r1-qwq")
    given = PlannedPair("mine", pair.settings, {Author.SRM: engine_at(srm, "--srm")})
    assert paper_thresholds(given).rho == rho


SIZES = {
    "fig1": ("aime24", 16, 8192),
    "fig4": ("aime24, aime25, gpqa_diamond", 16, 8192),
    "fig5": ("aime24", 16, 8192),
    "fig6a": ("aime24", 16, 8192),
    "table1": ("bbh, arc_challenge", 1, 8192),  # the paper does not say how many answers
    "table2": ("aime24", 16, 8192),
}
"""Tasks, answers per question (pass@1 with k = 16, §4.1), and the default token budget."""


@pytest.mark.parametrize("name", SIZES)
def test_full_sizes_are_the_paper_s(name: str) -> None:
    full = catalogue()[name].full
    assert (", ".join(full.tasks), full.epochs, full.thinking_tokens) == SIZES[name]
    assert full.limit is None


SWEPT = {
    "fig6b": [0, 10, 20, 30, 40, 50],  # "from 0 to 50", §4.4
    "fig7": [2048, 4096, 8192, 16384, 32768],  # §4.6
}


@pytest.mark.parametrize("name", SWEPT)
def test_what_is_swept_is_the_paper_s(name: str) -> None:
    sweep = catalogue()[name].full.sweep
    assert sweep is not None
    assert list(sweep.values) == SWEPT[name]


@pytest.mark.parametrize("item", catalogue().values(), ids=catalogue())
def test_an_item_changes_nothing_else_at_full_size(item: Item) -> None:
    """Of TrigReason's thresholds only those that the item sweeps or lists, and n for Table 1."""
    pair = planned_pair(read_configuration(None, {}), "r1-qwq")
    varied = {item.full.sweep.of} if item.full.sweep else set()
    varied |= {"rho", "n", "m"} if item.full.configs else set()
    for task in item.full.tasks:
        published = paper_thresholds(pair, task)
        for planned in item.full.arms():
            arm = arm_of(pair, task, planned, item.full)
            same = {name: getattr(published, name) for name in varied - {"thinking_tokens"}}
            assert replace(arm.thresholds, **same) == published, planned.label
            assert arm.sampling == Sampling()
