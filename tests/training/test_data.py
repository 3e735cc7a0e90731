"""Training documents: their layout, their loss, their determinism, and what they leave out."""

import random
import re
from collections import Counter
from itertools import islice

import pytest

from training import data
from training.data import Document, examples
from training.families import FAMILIES
from training.published import digest

EVEN = dict.fromkeys(FAMILIES, 1.0)


def some(count: int, judge_share: float = 0.0) -> list[Document]:
    return list(islice(examples(5, EVEN, judge_share), count))


def test_solutions_have_the_layout_of_the_runtime() -> None:
    layout = re.compile(
        r"<\|im_start\|>user\n.+<\|im_end\|>\n<\|im_start\|>assistant\n<think>\n"
        r"[^\n]+(?:\n\n[^\n]+)+\n</think>\n\nThe answer is \\boxed\{.+\}\.<\|im_end\|>",
        re.DOTALL,
    )
    for document in some(300):
        assert layout.fullmatch(document.text)


def test_a_judge_is_asked_after_unfinished_thinking() -> None:
    for document in some(100, judge_share=1.0):
        assert "</think>" not in document.text
        assert re.search(
            r"[^\n]\n\n<\|im_end\|>\n"
            r"<\|im_start\|>user\nRate the last step from 0 to 9\.<\|im_end\|>\n"
            r"<\|im_start\|>assistant\nScore: [09]<\|im_end\|>$",
            document.text,
        )
        assert [text for text, weight in document.segments if weight] in (["0"], ["9"])


def test_prompts_and_slips_carry_no_loss_and_all_else_does() -> None:
    slips = 0
    for document in some(300):
        (question, first), *steps = document.segments
        assert question.endswith("<think>\n")
        assert first == 0
        for (text, weight), (after, _) in zip(steps, [*steps[1:], ("", 1.0)], strict=True):
            assert weight in (0, 1)
            if weight == 0:
                slips += 1
                assert re.match("Wait|Hmm|Maybe", after), text
    assert slips > 50


def test_the_same_seed_gives_the_same_documents() -> None:
    assert some(50, judge_share=0.3) == some(50, judge_share=0.3)
    assert some(20) != list(islice(examples(6, EVEN), 20))


def test_the_mix_weighs_the_families() -> None:
    mix = {"web_of_lies": 3.0, "navigate": 1.0}
    counts = Counter(document.family for document in islice(examples(1, mix), 400))
    assert set(counts) == set(mix)
    assert 2 < counts["web_of_lies"] / counts["navigate"] < 4.5


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(KeyError, match="sudoku"):
        next(examples(1, {"sudoku": 1.0}))


def test_published_questions_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    family = FAMILIES["boolean_expressions"]
    rng = random.Random(2)
    forbidden = {family.generate(rng) for _ in range(2000)}
    monkeypatch.setattr(data, "hashes", lambda: frozenset(map(digest, forbidden)))
    made = [document.text for document in islice(examples(2, {family.name: 1.0}), 300)]
    questions = {re.findall(r"user\n(.*)<\|im_end\|>\n<", text)[0] for text in made}
    assert questions.isdisjoint(forbidden)
