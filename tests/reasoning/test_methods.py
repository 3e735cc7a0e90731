"""Methods: tables of step sequences and what is decided after each.

A step is one letter: L an LRM step; by the SRM s plain, h hesitating, c certain (r = 1), C
certain and hesitating, e exactly at rho, u without any probability, b blank. Long enough to
repeat: p plain, P certain, l the same words by the LRM, z with the end of thinking, g hesitating;
x was cut off because its end repeats. a states an answer, A the same by the LRM, d the same with
the end of thinking.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from trigreason.reasoning import (
    Author,
    Decision,
    Direction,
    Features,
    Halt,
    Judge,
    Method,
    MethodRun,
    Rewrite,
    Solo,
    SpecReason,
    Step,
    StepEnd,
    StrategicPriming,
    Thresholds,
    Token,
    Trigger,
    TrigReason,
    Write,
)
from trigreason.reasoning.method_run import METHODS_END

ADDED_UP = "The first two numbers add up to three.\n\n"
KINDS: dict[str, tuple[str, Sequence[float | None]]] = {
    "L": ("Wait. So x = 3.\n\n", [0.0, 0.0]),
    "s": ("So x = 3.\n\n", [0.0, -1.0]),
    "h": ("Wait.\n\n", [0.0, -1.0]),
    "c": ("So x = 3.\n\n", [0.0, 0.0]),
    "C": ("Wait.\n\n", [0.0, 0.0]),
    "e": ("So x = 3.\n\n", [0.0] * 17 + [-1.0] * 3),
    "u": ("So x = 3.\n\n", [None, None]),
    "b": ("\n", [0.0]),
    "p": (ADDED_UP, [0.0, -1.0]),
    "P": (ADDED_UP, [0.0, 0.0]),
    "l": (ADDED_UP, [0.0, 0.0]),
    "z": (ADDED_UP, [0.0, -1.0]),
    "g": ("Wait, the first two numbers add up to four.\n\n", [0.0, -1.0]),
    "x": ("So x = 3.\n\n", [0.0, -1.0]),
    "a": ("It is \\boxed{3}.\n\n", [0.0, -1.0]),
    "A": ("It is \\boxed{3}.\n\n", [0.0, -1.0]),
    "d": ("It is \\boxed{3}.\n\n", [0.0, -1.0]),
}
ENDS = {"z": StepEnd.END_OF_THINKING, "x": StepEnd.REPETITION, "d": StepEnd.END_OF_THINKING}
SRM, LRM = Write(Author.SRM), Write(Author.LRM)
OFFLOAD = Rewrite(Author.LRM, Trigger.COGNITIVE_OFFLOAD)
HANDOVERS = {Trigger.INTERVENTION_REQUEST: "R", Trigger.REPETITION: "T"}
SIGNS = {
    "S": SRM,
    "H": Halt(),
    "E": Halt(METHODS_END),
    "O": OFFLOAD,
    "J": Judge(Author.LRM),
    "X": Rewrite(Author.LRM, Trigger.JUDGE_REJECTION),
    **{str(steps): Write(Author.LRM, steps) for steps in range(1, 10)},
}


def step(kind: str) -> Step:
    text, logprobs = KINDS[kind]
    tokens = tuple(Token("", each) for each in logprobs)
    author = Author.LRM if kind in "LlA" else Author.SRM
    return Step(text, tokens, ENDS.get(kind, StepEnd.BLANK_LINE), author)


def sign(decision: Decision | Halt) -> str:
    """One character: S, O, J, X, H; R an intervention request, T a handover over repetition; a
    digit for LRM steps still owed.
    """
    if isinstance(decision, Write) and decision.trigger in HANDOVERS:
        return HANDOVERS[decision.trigger]
    return next(each for each, meaning in SIGNS.items() if meaning == decision)


def ask(run: MethodRun, kind: str) -> Decision | Halt:
    return run.on_step(run.read(Features(step(kind))))


def decisions(run: MethodRun, kinds: str) -> str:
    run.open()
    return "".join(sign(ask(run, kind)) for kind in kinds)


def method_run(name: str, **thresholds: object) -> MethodRun:
    given = Thresholds(**({"n": 0} | thresholds))  # type: ignore[arg-type]
    return MethodRun.of(name, given)


def trigreason(**thresholds: object) -> MethodRun:
    return method_run("trigreason", **thresholds)


@pytest.mark.parametrize(
    ("thresholds", "steps", "decided"),
    [
        ({}, "sss", "SSS"),
        # Cognitive offload; strictly over rho.
        ({}, "cLs", "OSS"),
        ({}, "cLcL", "OSOS"),
        ({}, "eu", "SS"),
        ({"rho": 0.84}, "eL", "OS"),
        ({"rho": 1}, "ccC", "SSS"),
        ({"direction": Direction.UNDER}, "sLcechL", "OSSSSOS"),
        ({"direction": Direction.UNDER}, "u", "S"),
        ({"direction": Direction.UNDER, "rho": 0}, "shhL", "SSRS"),
        # Intervention request; k in a row.
        ({}, "hhLs", "SRSS"),
        ({}, "hshs", "SSSS"),
        ({}, "hhLhhL", "SRSSRS"),
        ({"k": 1}, "hLshL", "RSSRS"),
        ({"k": 3}, "hhshhhL", "SSSSSRS"),
        ({"m": 0}, "hhhh", "SSSS"),
        ({"m": 2}, "hhLLs", "SR1SS"),
        ({"m": 3, "k": 1}, "hLLLh", "R21SR"),
        ({"expressions": ("so",)}, "hhss", "SSSR"),
        # The LRM's own hesitation never counts, and what it writes breaks the streak.
        ({}, "hcLhh", "SOSSR"),
        ({}, "hLhh", "SSSR"),
        # An offload comes first and breaks the streak.
        ({}, "hCLh", "SOSS"),
        ({"rho": 1}, "hCL", "SRS"),
        ({"k": 1}, "C", "O"),
        # White space changes nothing.
        ({}, "bb", "SS"),
        ({}, "hbh", "SSR"),
        ({}, "hbs", "SSS"),
        # Repetition hands over like a request, after the offload and before hesitation.
        ({}, "pp", "ST"),
        ({}, "ppLs", "STSS"),
        ({}, "pbp", "SST"),
        ({}, "psp", "SSS"),
        ({}, "pspsp", "SSSST"),
        ({}, "ss", "SS"),
        ({}, "x", "T"),
        ({}, "pz", "SS"),
        ({}, "lp", "ST"),
        ({"m": 2}, "ppLLs", "ST1SS"),
        ({"m": 0}, "ppLs", "STSS"),
        ({"k": 1}, "ggLh", "RTSR"),
        ({}, "ggLh", "STSS"),
        ({}, "hgg", "SRT"),
        ({}, "pPLp", "SOSS"),
        ({}, "PLPLp", "OSOSS"),
        ({"n": 1}, "lpLp", "STST"),
        # Who goes on repeating is stopped, whoever it is; a new step in between forgives.
        ({}, "pplp", "STSH"),
        ({"repeats": 1}, "pp", "SH"),
        ({"repeats": 2}, "ppl", "STH"),
        ({"repeats": 2}, "ppblb", "STSHS"),
        ({"repeats": 2}, "ppLppL", "STSTHS"),
        ({"repeats": 2, "n": 4}, "lll", "32H"),
        ({"m": 0, "rho": 1}, "pppp", "SSSH"),
        ({"m": 0, "rho": 1}, "pppspp", "SSSSSS"),
        ({"repeats": 0}, "pppppx", "SSSSSS"),
        # Priming.
        ({"n": 1}, "Lhh", "SSR"),
        ({"n": 3}, "LLLs", "21SS"),
        ({"n": 3, "m": 2, "k": 1}, "LLLhLLcLs", "21SR1SOSS"),
    ],
)
def test_trigreason(thresholds: dict[str, object], steps: str, decided: str) -> None:
    assert decisions(trigreason(**thresholds), steps) == decided


@pytest.mark.parametrize("m", [1, 2, 5])
def test_a_request_says_how_many_steps(m: int) -> None:
    run = trigreason(k=1, m=m)
    run.open()
    assert ask(run, "h") == Write(Author.LRM, m, Trigger.INTERVENTION_REQUEST)


@pytest.mark.parametrize(("m", "steps"), [(0, 1), (1, 1), (3, 3)])
def test_repetition_brings_the_lrm_in_for_a_step_at_least(m: int, steps: int) -> None:
    run = trigreason(m=m)
    run.open()
    ask(run, "p")
    assert ask(run, "p") == Write(Author.LRM, steps, Trigger.REPETITION)


@pytest.mark.parametrize(("steps", "decided"), [("hhhh", "SRSR"), ("hCh", "SOS"), ("hxh", "STS")])
def test_a_handover_ends_the_streak_even_if_nobody_follows_it(steps: str, decided: str) -> None:
    """As where a record is asked what other thresholds would have done."""
    assert decisions(trigreason(), steps) == decided


@pytest.mark.parametrize(
    ("method", "opening"),
    [
        (TrigReason(), Write(Author.LRM, 20, Trigger.STRATEGIC_PRIMING)),
        (TrigReason(priming=StrategicPriming(0)), SRM),
        (SpecReason(), SRM),
        (SpecReason(priming=StrategicPriming(3)), Write(Author.LRM, 3, Trigger.STRATEGIC_PRIMING)),
        (Solo(author=Author.SRM), SRM),
        (Solo(author=Author.LRM), LRM),
    ],
)
def test_opening(method: Method, opening: Decision) -> None:
    assert method.open() == opening


def test_the_default_priming_is_twenty_steps() -> None:
    run = trigreason(n=20)
    assert run.method == TrigReason()
    run.open()
    after = [ask(run, "L") for _ in range(20)]
    assert after == [*(Write(Author.LRM, left) for left in range(19, 0, -1)), SRM]


def test_opening_again_forgets_the_last_run() -> None:
    method = trigreason(n=3)
    assert decisions(method, "LLLh") == "21SS"  # a streak of one is left behind
    assert decisions(method, "L") == "2"  # and here two owed steps
    assert decisions(method, "LLLh") == "21SS"


@pytest.mark.parametrize(
    ("steps", "decided"), [("s", "J"), ("b", "S"), ("cCheu", "JJJJJ"), ("L", "S")]
)
def test_specreason_judges_each_srm_step(steps: str, decided: str) -> None:
    assert decisions(method_run("specreason"), steps) == decided


@pytest.mark.parametrize(
    ("accept", "score", "decided"),
    [
        (7, 7, "S"),
        (7, 6.99, "X"),
        (7, 9, "S"),
        (7, 0, "X"),
        (0, 0, "S"),
        (9, 8, "X"),
        (9, 9, "S"),
    ],
)
def test_specreason_accepts_from_its_threshold_on(
    accept: float, score: float, decided: str
) -> None:
    run = method_run("specreason", accept=accept)
    run.open()
    ask(run, "s")
    assert sign(run.on_score(score)) == decided


def test_specreason_takes_the_pen_back_after_one_step() -> None:
    run = method_run("specreason", judge_first=2)
    assert decisions(run, "LLs") == "1SJ"
    assert sign(run.on_score(3)) == "X"
    assert sign(ask(run, "L")) == "S"
    assert sign(ask(run, "s")) == "J"


@pytest.mark.parametrize(
    ("steps", "scores", "decided"),
    [
        ("sa", [9, 9], "SE"),
        ("saA", [9, 0], "SXE"),
        ("sd", [9, 9], "SS"),
        ("hss", [9, 9, 9], "SSE"),
        ("ss", [9, 9], "SS"),
        ("shs", [9, 9, 9], "SSS"),
        ("hbsbs", [9, 9, 9], "SSSSE"),
        ("hssL", [9, 9, 0], "SSXS"),
        ("hshL", [9, 9, 0], "SSXS"),
    ],
)
def test_specreason_stops_as_its_script_does(steps: str, scores: list[float], decided: str) -> None:
    for script_stop in (True, False):
        run, left = method_run("specreason", script_stop=script_stop, repeats=0), iter(scores)
        for _again in range(2):
            run.open()
            told, left = "", iter(scores)
            for kind in steps:
                decision = ask(run, kind)
                is_judged = decision == Judge(Author.LRM)
                told += sign(run.on_score(next(left)) if is_judged else decision)
            assert told == (decided if script_stop else decided.replace("E", "S"))


@pytest.mark.parametrize("mark", ["\\boxed{3}", "Answer: 3", "ANSWER: 3"])
def test_what_states_an_answer(mark: str) -> None:
    run = method_run("specreason", script_stop=True)
    run.open()
    ask_of = Step(f"So {mark}.\n\n", (), StepEnd.BLANK_LINE, Author.SRM)
    assert run.on_step(run.read(Features(ask_of))) == Judge(Author.LRM)
    assert run.on_score(9) == Halt(METHODS_END)
    lower = Step("So the answer: 3.\n\n", (), StepEnd.BLANK_LINE, Author.SRM)
    run.open()
    run.on_step(run.read(Features(lower)))
    assert run.on_score(9) == SRM


@pytest.mark.parametrize("author", Author)
def test_solo_never_changes(author: Author) -> None:
    assert {ask(method_run(author), kind) for kind in KINDS} == {Write(author)}


@pytest.mark.parametrize("kind", "pl")
def test_solo_stops_when_it_goes_on_repeating(kind: str) -> None:
    author = step(kind).author
    run, writes = method_run(author), Write(author)
    for _again in range(2):
        assert run.open() == writes
        told = [ask(run, each) for each in kind * 3 + "b" + kind]
        assert told == [writes, writes, writes, writes, Halt()]


def test_specreason_counts_the_repeating_steps_that_stand() -> None:
    run = method_run("specreason")
    run.open()
    told: list[str] = []
    for kind, score in [("p", 9), ("p", 9), ("p", 3), ("l", 0), ("p", 7), ("s", 9), ("p", 9)]:
        decision = ask(run, kind)
        told.append(sign(run.on_score(score) if decision == Judge(Author.LRM) else decision))
    assert "".join(told) == "SSXSHSS"
    assert decisions(method_run("specreason", judge_first=4), "llll") == "321H"
