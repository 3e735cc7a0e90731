"""The circuit breaker, by the runs that it hears of."""

from __future__ import annotations

from trigreason.engines.breaker import TRIALS, Breaker, Permit


class Clock:
    now = 0.0

    def __call__(self) -> float:
        self.now += 0.001
        return self.now


def breaker_with(failures: int) -> tuple[Breaker, Clock]:
    clock = Clock()
    return Breaker(failures=failures, rest_seconds=30, clock=clock), clock


def entered(breaker: Breaker, run: object) -> Permit:
    leave = breaker.enter(run)
    assert leave is not None
    return leave


def fail(breaker: Breaker, run: object, times: int = 1) -> None:
    for _ in range(times):
        breaker.failed(entered(breaker, run), "it failed")


def test_one_run_counts_once() -> None:
    breaker, _ = breaker_with(3)
    for run, state in (("a", "closed"), ("b", "closed"), ("c", "open")):
        fail(breaker, run, 1 if run == "c" else 5)
        assert str(breaker.state) == state


def test_whatever_is_heard_begins_the_row_anew() -> None:
    breaker, _ = breaker_with(2)
    for run in range(10):
        fail(breaker, run)
        breaker.answered()
    assert str(breaker.state) == "closed"


def test_requests_that_failed_together_count_as_one() -> None:
    breaker, _ = breaker_with(2)
    together = [entered(breaker, run) for run in range(5)]
    for leave in together:
        breaker.failed(leave, "it failed")
    assert str(breaker.state) == "closed"
    fail(breaker, "later")
    assert str(breaker.state) == "open"


def test_while_half_open_a_few_runs_may_try_and_all_must_fail() -> None:
    breaker, clock = breaker_with(5)
    for run in range(5):
        fail(breaker, run)
    clock.now += 31
    trials = [entered(breaker, run) for run in range(TRIALS)]
    assert breaker.enter("another") is None
    assert breaker.enter(0) is None, "not twice"
    for leave in trials[:-1]:
        breaker.failed(leave, "it failed")
        assert str(breaker.state) == "half_open"
        assert breaker.has_tried(leave.run)
        assert breaker.enter(leave.run) is None
    breaker.failed(trials[-1], "it failed")
    assert str(breaker.state) == "open"


def test_one_answer_closes_it_whoever_fails_beside() -> None:
    breaker, clock = breaker_with(5)
    for run in range(5):
        fail(breaker, run)
    clock.now += 31
    poisonous, harmless = entered(breaker, "p"), entered(breaker, "h")
    breaker.failed(poisonous, "it failed")
    assert str(breaker.state) == "half_open"
    breaker.answered()
    assert str(breaker.state) == "closed"
    breaker.left(harmless)
    entered(breaker, "p")


def test_a_trial_that_is_left_makes_room_for_another() -> None:
    breaker, clock = breaker_with(1)
    fail(breaker, "a")
    clock.now += 31
    trial = entered(breaker, "b")
    assert breaker.enter("c") is None
    breaker.left(trial)
    entered(breaker, "c")


def test_who_began_before_it_opened_does_not_open_it_again() -> None:
    breaker, clock = breaker_with(1)
    early = entered(breaker, "early")
    fail(breaker, "a")
    clock.now += 31
    breaker.failed(early, "it failed")
    assert str(breaker.state) == "half_open"
    entered(breaker, "trial")
