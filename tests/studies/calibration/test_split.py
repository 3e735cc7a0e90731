"""Questions parted into those of the search and those held out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigreason.studies.calibration.split import split


@dataclass(frozen=True)
class Asked:
    id: str
    group: str


def asked(**sizes: int) -> list[Asked]:
    return [Asked(f"{group}/{n}", group) for group, size in sizes.items() for n in range(size)]


@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=8).filter(lambda all_: sum(all_) > 3),
    share=st.sampled_from([0.3, 0.4, 0.5, 0.6, 0.7]),
    seed=st.integers(0, 2**31),
)
def test_each_group_and_all_of_them_give_their_share(
    sizes: list[int], share: float, seed: int
) -> None:
    questions = asked(**{f"g{number}": size for number, size in enumerate(sizes)})
    parts = split(questions, share, seed)
    assert sorted(map(repr, parts.search + parts.held_out)) == sorted(map(repr, questions))
    assert abs(len(parts.held_out) - share * len(questions)) <= 0.5
    kept = Counter(each.group for each in parts.held_out)
    for number, size in enumerate(sizes):
        assert abs(kept[f"g{number}"] - share * size) <= 1 + 1e-9


@given(seed=st.integers(0, 2**31), order=st.randoms(use_true_random=False))
def test_the_split_hangs_on_seed_and_ids_alone(seed: int, order: Random) -> None:
    questions = asked(a=5, b=7)
    shuffled = list(questions)
    order.shuffle(shuffled)
    assert split(shuffled, 0.5, seed) == split(questions, 0.5, seed)


def test_another_seed_gives_another_split() -> None:
    questions = asked(a=20)
    assert split(questions, 0.5, 0) != split(questions, 0.5, 1)


@given(seed=st.integers(0, 2**31))
def test_every_beginning_of_a_part_is_balanced(seed: int) -> None:
    for part in split(asked(a=12, b=12, c=12), 0.5, seed):
        for size in range(1, len(part) + 1):
            counts = Counter(each.group for each in part[:size])
            assert max(counts.values()) - min(counts[group] for group in "abc") <= 1


@pytest.mark.parametrize(
    ("questions", "share", "told"),
    [
        (asked(a=1), 0.5, "too few"),
        (asked(a=2), 0.1, "too few"),
        (asked(a=4), 0.0, "between 0 and 1"),
        (asked(a=4), 1.0, "between 0 and 1"),
        ([Asked("x", "a"), Asked("x", "b")], 0.5, "same id"),
    ],
)
def test_what_cannot_be_parted_is_refused(questions: list[Asked], share: float, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        split(questions, share, 0)
