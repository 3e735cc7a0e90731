"""How generated answers are read: the boxed answer, labelled steps, and the AUC."""

import json
from pathlib import Path

import pytest

from training.attempts import auc, boxed, labelled_steps
from training.held_out import DEVELOPMENT, SHIPPED, development, held_out, held_out_hashes
from training.published import digest, hashes
from training.recipes import FAMILIES
from training.serving import Generated
from trigreason.bundled.families.chains import Solution

SHIPPED_FILE = Path(__file__).parents[2] / "src/trigreason/bundled/problems.jsonl"


def generated(*steps: str) -> Generated:
    """An answer of one token per step, each sure but the last."""
    tokens = [(f"{step}\n\n", -0.01) for step in steps[:-1]]
    tokens += [(steps[-1] + "\n", -2.0), ("</think>", -0.01)]
    return Generated("".join(text for text, _ in tokens), tuple(tokens), {})


def web() -> tuple[Solution, list[str]]:
    solution = development("web_of_lies")[0]
    return solution, list(solution.steps)


def test_an_ideal_chain_is_all_right() -> None:
    solution, texts = web()
    steps = labelled_steps(solution, generated(*texts))
    assert [step.text for step in steps] == texts
    assert all(step.right for step in steps)
    assert steps[0].sure_share == 1.0
    assert steps[-1].lowest == -2.0


def test_labels_end_at_the_first_wrong_step() -> None:
    solution, texts = web()
    steps = labelled_steps(solution, generated(texts[0], "Claim 1: nobody lies.", *texts[2:]))
    assert [step.right for step in steps] == [True, False]


def test_labels_end_at_a_hesitation() -> None:
    solution, texts = web()
    steps = labelled_steps(solution, generated(texts[0], "Wait, check 1.", *texts[1:]))
    assert [step.right for step in steps] == [True]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("a\n</think>\n\nThe answer is \\boxed{(B)}.", "(B)"),
        ("a\n</think>\n\nThe answer is B.", None),
        ("The answer is \\boxed{(B)}.", None),
    ],
)
def test_only_an_answer_after_the_thinking_counts(text: str, answer: str | None) -> None:
    assert boxed(text) == answer


@pytest.mark.parametrize(
    ("higher", "lower", "expected"),
    [([2.0, 3.0], [0.0, 1.0], 1.0), ([0.0], [1.0], 0.0), ([1.0], [1.0], 0.5), ([1, 3], [2], 0.5)],
)
def test_auc(higher: list[float], lower: list[float], expected: float) -> None:
    assert auc(higher, lower) == expected


def test_auc_needs_both_kinds() -> None:
    with pytest.raises(ValueError, match="both kinds"):
        auc([], [1.0])


@pytest.mark.parametrize("family", FAMILIES)
def test_held_out_problems_are_different_and_not_published(family: str) -> None:
    digests = {digest(solution.question) for solution in held_out(family)}
    assert len(digests) == DEVELOPMENT + SHIPPED
    assert not digests & hashes()
    assert digests <= held_out_hashes()


def test_the_shipped_problems_are_held_out() -> None:
    shipped = [json.loads(line) for line in SHIPPED_FILE.read_text().splitlines()]
    assert len(shipped) == SHIPPED * len(FAMILIES)
    assert {digest(problem["question"]) for problem in shipped} <= held_out_hashes()
