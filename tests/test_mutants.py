"""The table of mutants fits the code and the tests; ``python -m tests.mutants`` applies it."""

from __future__ import annotations

from tests.mutants import MUTANTS, ROOT


def test_what_is_to_be_changed_is_there_once() -> None:
    assert [str(mutant) for mutant in MUTANTS if not mutant.fits] == []


def test_the_tests_that_are_to_fail_are_there() -> None:
    for mutant in MUTANTS:
        file, _, name = mutant.test.partition("::")
        assert f"def {name}(" in (ROOT / "tests" / file).read_text(), mutant
