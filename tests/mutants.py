"""Mutants: mistakes that a test must notice, put one by one into a copy of the package.

``python -m tests.mutants`` says of each which test failed, and ends with 1 where none did;
``python -m tests.mutants breaker`` tries those alone whose file has the word in its name.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = Path("src/trigreason")
LONGEST_SECONDS = 120.0
FAILED = re.compile(r"(?m)^(?:FAILED|ERROR) (\S+)")


class Mutant(NamedTuple):
    """``old``, which stands once in ``file``, becomes ``new``; over that ``test`` must fail."""

    file: str
    old: str
    new: str
    test: str

    def __str__(self) -> str:
        return f"{self.file}: {self.old!r} -> {self.new!r}"

    @property
    def fits(self) -> bool:
        """Whether what is to be changed is there."""
        return (ROOT / PACKAGE / self.file).read_text().count(self.old) == 1


TABLE: dict[str, list[tuple[str, str, str]]] = {
    "reasoning/tokens.py": [
        (
            " else 3 if byte < 0xF0 else 4",
            " else 3",
            "reasoning/test_tokens.py::test_unfinished_bytes",
        ),
        (
            "- log_sum, 0.0)",
            "- log_sum, 1.0)",
            "reasoning/test_tokens.py::test_sharpen_gives_no_probability_above_one",
        ),
    ],
    "reasoning/steps.py": [
        (" and depth:", ":", "reasoning/test_steps.py::test_steps_of_a_text"),
        (
            "len(self._tokens[-1].text) <= surplus",
            "len(self._tokens[-1].text) < surplus",
            "test_writing.py::test_half_a_character_is_written_anew",
        ),
    ],
    "reasoning/methods.py": [
        (
            "max(1, self.request.m)",
            "self.request.m",
            "reasoning/test_methods.py::test_repetition_brings_the_lrm_in_for_a_step_at_least",
        ),
        (
            "fires(signals.ratio):\n            self._streak = 0",
            "fires(signals.ratio):",
            "reasoning/test_methods.py::test_a_handover_ends_the_streak_even_if_nobody_follows_it",
        ),
        (
            "in self.authors:\n            self._streak = 0",
            "in self.authors:",
            "reasoning/test_methods.py::test_a_handover_ends_the_streak_even_if_nobody_follows_it",
        ),
        (
            "fires(self._streak):\n            self._streak = 0",
            "fires(self._streak):",
            "reasoning/test_methods.py::test_a_handover_ends_the_streak_even_if_nobody_follows_it",
        ),
    ],
    "reasoning/repetition.py": [
        (
            "< STEP_LENGTH",
            "<= STEP_LENGTH",
            "reasoning/test_repetition.py::test_how_much_a_step_says_at_least",
        ),
        (
            ">= shortest",
            "> shortest",
            "reasoning/test_repetition.py::test_the_unit_is_the_shortest",
        ),
        (
            "RECENT_STEPS = 8",
            "RECENT_STEPS = 9",
            "reasoning/test_repetition.py::test_how_far_back_it_looks",
        ),
        (
            "RUN_UNITS = 4",
            "RUN_UNITS = 3",
            "reasoning/test_repetition.py::test_a_loop_is_seen_by_its_fourth_round",
        ),
        (
            "RUN_LENGTH = 120",
            "RUN_LENGTH = 110",
            "reasoning/test_repetition.py::test_how_long_a_run_is_at_least",
        ),
        (
            "clear()\n        self._last = None",
            "clear()",
            "reasoning/test_repetition.py::test_counting_until_something_new_is_said",
        ),
    ],
    "reasoning/records.py": [
        (
            "max(stretch.completion_tokens, stretch.generated_tokens or 0)",
            "stretch.completion_tokens",
            "reasoning/test_trace.py::test_what_the_server_wrote_behind_a_closed_stream_is_paid_for",
        ),
        (
            "if stretch.failed and not",
            "if not",
            "reasoning/test_trace.py::test_what_a_request_costs_that_failed",
        ),
        (
            "if stretch.failed and not stretch.completion_tokens",
            "if stretch.failed",
            "reasoning/test_trace.py::test_what_a_request_costs_that_failed",
        ),
    ],
    "reasoning/trace.py": [
        (
            "next(reversed(self.answer_by)",
            "next(iter(self.answer_by)",
            "reasoning/test_trace.py::test_who_finished_the_answer",
        ),
        ("_sum(costs) if price else None", "_sum(costs)", "reasoning/test_trace.py::test_use"),
        (
            "self.thinking_tokens if self.in_the_open else self",
            "self",
            "reasoning/test_trace.py::test_what_a_reader_gets",
        ),
    ],
    "running/loop.py": [
        (
            "is_due and not state.method.repetition.is_off and",
            "is_due and",
            "test_reasoner_repetition.py::test_the_guard_can_be_off",
        ),
        (
            "turn.use(-cutter.take_back(tags=True))",
            "cutter.take_back(tags=True)",
            "test_reasoner_limits.py::test_half_a_tag_where_the_budget_ends_is_written_anew",
        ),
        (
            "cutter.take_back(tags=True))",
            "cutter.take_back())",
            "test_reasoner_limits.py::test_half_a_tag_where_the_budget_ends_is_written_anew",
        ),
        (
            " or state.trace.stop is not None",
            "",
            "test_reasoner_limits.py::test_a_context_that_is_full_for_the_judge",
        ),
        (" - cutter.open_tokens)", ")", "test_reasoner_limits.py::test_what_broke_off_takes_room"),
        (
            "self.request_per_step or errand",
            "errand",
            "test_reasoner_one_step.py::test_where_each_step_is_a_request_each_has_the_room_of_one",
        ),
        (
            "state.trace.limit or ",
            "",
            "test_reasoner_limits.py::test_of_two_limits_the_first_is_named",
        ),
        (
            "if turn.finish is Finish.STOP:",
            "if True:",
            "test_reasoner_limits.py::test_an_answer_in_thinking_that_was_cut_off_is_asked_for_all_the_same",
        ),
        (
            " or turn.finish is not Finish.STOP",
            "",
            "test_reasoner_one_step.py::test_an_answer_that_a_context_cut_off_is_not_asked_for_again",
        ),
        (
            "open_steps.insert(0, ",
            "open_steps.append(",
            "test_reasoner_failures.py::test_what_was_written_when_a_run_is_left_stands_in_its_order",
        ),
        (
            "await self.ahead.drop_hedge()\n                    for",
            "for",
            "test_ahead.py::test_a_hedge_is_no_step_behind_one_that_was_cut_off",
        ),
    ],
    "running/state.py": [
        (
            "len(self.trace.standing)",
            "len(self.trace.steps)",
            "test_reasoner_limits.py::test_drafts_come_on_top_of_the_steps",
        ),
        (
            " or has_worked",
            "",
            "test_recovery.py::test_a_model_that_has_worked_and_is_then_refused_is_away",
        ),
        (
            " + CUTTING_SLACK",
            "",
            "test_reasoner_limits.py::test_steps_that_are_counted_bound_the_room",
        ),
        (
            "ContextTooLong) and trace.steps",
            "ContextTooLong)",
            "test_reasoner_limits.py::test_a_question_that_does_not_fit_fails",
        ),
    ],
    "running/turn.py": [
        (
            "self._request.used > 0 and ",
            "",
            "test_recovery.py::test_a_stream_that_breaks_before_its_text_is_not_opened_for_ever",
        ),
        (
            "used -= dropped",
            "used -= 0",
            "test_recovery.py::test_half_a_tag_is_not_left_to_the_other_model",
        ),
        (
            "except EngineError:\n            return None",
            "except EngineError:\n            raise",
            "test_ahead.py::test_a_hedge_that_was_refused_is_no_attempt",
        ),
    ],
    "running/patience.py": [
        (" * 2**", " * 1**", "test_fault_patience.py::test_waits_double_up_to_the_longest"),
        (
            "min(backoff, policy.longest_wait_seconds - asked)",
            "backoff",
            "test_fault_patience.py::test_waits_double_up_to_the_longest",
        ),
        (
            "longest_wait_seconds - asked)",
            "longest_wait_seconds)",
            "test_fault_patience.py::test_waits_double_up_to_the_longest",
        ),
        (
            "asked > self",
            "asked >= self",
            "test_fault_patience.py::test_waits_double_up_to_the_longest",
        ),
    ],
    "running/ahead.py": [
        (
            "is Author.LRM:\n            self._has_read()",
            "is Author.LRM:\n            return",
            "test_ahead.py::test_what_the_lrm_wrote_it_has_read",
        )
    ],
    "running/rescale.py": [
        (
            "if token.top else None",
            "if token.top else token.logprob",
            "test_reasoner.py::test_a_token_without_alternatives_has_no_logprob_on_another_scale",
        )
    ],
    "engines/breaker.py": [
        (
            "leave.began < self._failed_at",
            "False",
            "test_fault_patience.py::test_failures_at_the_same_time_count_as_one",
        )
    ],
    "gateway/delivery.py": [
        (
            "dearest = max(",
            "dearest = min(",
            "gateway/test_gateway_upstream.py::test_what_is_reserved_is_at_the_highest_price",
        )
    ],
    "gateway/runs.py": [
        (
            "sampling.seed + run.index",
            "sampling.seed",
            "gateway/test_gateway_upstream.py::test_each_choice_has_a_seed_of_its_own",
        )
    ],
    "gateway/storage/budgets.py": [
        (
            '("usd_per_month", Period.MONTH',
            '("usd_per_month", Period.DAY',
            "gateway/storage/test_limits.py::test_a_month_is_more_than_its_last_day",
        )
    ],
}
"""By the file: what is changed, into what, and the test that fails."""

MUTANTS = [Mutant(file, *each) for file, changes in TABLE.items() for each in changes]


class Copy:
    """The package and its tests in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for part in ("src", "tests"):
            without = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / part, folder / part, ignore=without)
        shutil.copy(ROOT / "pyproject.toml", folder)

    def failing(self, tests: Iterable[str]) -> str | None:
        """The first of the tests that fails; None where all pass."""
        command = [sys.executable, "-m", "pytest", "-qx", "-n0", "--tb=no", "-rfE"]
        command += ["-p", "no:cacheprovider", *(f"tests/{test}" for test in tests)]
        paths = {"PYTHONPATH": str(self._folder / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(
                command,
                cwd=self._folder,
                env=os.environ | paths,
                capture_output=True,
                text=True,
                timeout=LONGEST_SECONDS,
            )
        except subprocess.TimeoutExpired:
            return f"no end within {LONGEST_SECONDS:.0f} s"
        if done.returncode == 0:
            return None
        found = FAILED.search(done.stdout)
        if found is None:
            raise RuntimeError(f"no test ran:\n{done.stdout}{done.stderr}")
        return found[1]

    def failing_over(self, mutant: Mutant) -> str | None:
        """The test that fails over a mutant; None where it survives."""
        file = self._folder / PACKAGE / mutant.file
        right = file.read_text()
        file.write_text(right.replace(mutant.old, mutant.new))
        try:
            return self.failing([mutant.test])
        finally:
            file.write_text(right)


def main(word: str = "") -> int:
    tried = [mutant for mutant in MUTANTS if word in mutant.file]
    if lost := [str(mutant) for mutant in tried if not mutant.fits]:
        print("These fit the code no longer; write them anew:", *lost, sep="\n  ")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        copy = Copy(Path(folder))
        if failing := copy.failing({mutant.test for mutant in tried}):
            print(f"Without any mutant a test fails already: {failing}")
            return 1
        survived = 0
        for mutant in tried:
            found = copy.failing_over(mutant)
            survived += found is None
            print(f"{mutant}\n    {found or 'SURVIVED'}", flush=True)
    print(f"{len(tried) - survived} of {len(tried)} mutants were noticed.")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
