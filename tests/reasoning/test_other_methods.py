"""The baselines, and the methods of other papers, as tables of steps and decisions."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigreason.reasoning import (
    Alternative,
    Author,
    Features,
    Method,
    MethodRun,
    Reward,
    Rewrite,
    Step,
    StepEnd,
    Thresholds,
    Token,
    Trigger,
    Write,
)
from trigreason.reasoning.methods.openings import AFFIRMATION, REFLECTION, VERIFICATION
from trigreason.reasoning.switch_cues import begins_with_cue, first_word

S, L = Author.SRM, Author.LRM


def features(text: str = "So.\n\n", author: Author = S, *tops: list[float]) -> Features:
    tokens = tuple(
        Token("", top[0], top=tuple(Alternative("", each) for each in top)) for top in tops
    )
    return Features(Step(text, tokens, StepEnd.BLANK_LINE, author))


def decided(name: str, *steps: Features, **thresholds: object) -> str:
    """What a method decides at the start and after each step: S, a digit for the LRM, X, or L."""
    run = MethodRun.of(name, Thresholds(repeats=0, **thresholds))  # type: ignore[arg-type]
    decisions = [run.open(), *(run.on_step(run.read(each)) for each in steps)]
    return "".join(map(sign, decisions))


def sign(decision: object) -> str:
    match decision:
        case Write(Author.SRM, None, None):
            return "S"
        case Write(Author.LRM, steps, _):
            return "L" if steps is None else str(steps)
        case Rewrite(Author.LRM, Trigger.METHOD):
            return "X"
    raise AssertionError(decision)


def written(authors: str) -> list[Features]:
    return [features(f"Step {at}.\n\n", S if each == "s" else L) for at, each in enumerate(authors)]


@pytest.mark.parametrize(
    ("name", "thresholds", "authors", "decisions"),
    [
        ("periodic", {"every": 3}, "ssLssL", "SS1SS1S"),
        ("periodic", {"every": 2}, "sLsL", "S1S1S"),
        ("periodic", {"every": 1}, "LL", "111"),
        ("planning", {"n": 2}, "LLss", "21SSS"),
        ("planning", {"n": 0}, "ss", "SSS"),
        ("random", {"share": 0}, "ssss", "SSSSS"),
        ("random", {"share": 1}, "sLL", "S111"),
    ],
)
def test_baselines(name: str, thresholds: dict[str, float], authors: str, decisions: str) -> None:
    assert decided(name, *written(authors), **thresholds) == decisions


def test_blank_steps_do_not_count_as_steps() -> None:
    steps = [features("One."), features(" \n\n"), features("Two.")]
    assert decided("periodic", *steps, every=3) == "SSS1"


@given(st.floats(0.05, 0.95), st.integers(0, 10**9))
def test_the_coin_has_its_share_and_falls_alike_again(share: float, first: int) -> None:
    steps = [features(f"Step {first + at}.") for at in range(500)]
    once = decided("random", *steps, share=share)
    assert once == decided("random", *steps, share=share)
    assert once.count("1") / 500 == pytest.approx(share, abs=0.12)


SURE, TORN = [math.log(0.98), math.log(0.02)], [math.log(0.5), math.log(0.5)]


@pytest.mark.parametrize(
    ("steps", "decisions"),
    [
        ([features("So.", S, SURE, TORN)], "SS"),
        ([features("So.", S, TORN, SURE)], "SX"),
        ([features("So.", L, TORN)], "SS"),
        ([features("So.", S)], "SS"),  # no alternatives, no entropy
        ([features("So.", S, TORN), features("So.", L), features("So.", S, SURE)], "SXSS"),
        ([features(" \n\n", S, TORN)], "SS"),
    ],
)
def test_glimprouter_looks_at_the_first_token(steps: list[Features], decisions: str) -> None:
    assert decided("glimprouter", *steps, entropy=0.6) == decisions


@pytest.mark.parametrize(("entropy", "decisions"), [(0.6931, "SX"), (0.694, "SS")])
def test_the_entropy_must_be_above_the_threshold(entropy: float, decisions: str) -> None:
    assert decided("glimprouter", features("So.", S, TORN), entropy=entropy) == decisions


@pytest.mark.parametrize(
    ("reward", "delta", "decision"),
    [
        (0.7, 0.7, "S"),
        (0.699, 0.7, "X"),
        (0.0, 0.0, "S"),
        (1.0, 1.0, "S"),
        (0.999, 1.0, "X"),
    ],
)
def test_rsd_keeps_a_step_from_delta_on(reward: float, delta: float, decision: str) -> None:
    run = MethodRun.of("rsd", Thresholds(delta=delta))
    assert run.open() == Write(Author.SRM)
    assert run.on_step(run.read(features("So."))) == Reward()
    decided = run.on_reward(reward)
    expected = Rewrite(Author.LRM, Trigger.LOW_REWARD) if decision == "X" else Write(Author.SRM)
    assert decided == expected


def test_rsd_asks_for_no_reward_of_the_lrms_steps_and_of_blank_ones() -> None:
    assert decided("rsd", features("So.", L), features(" \n\n", S)) == "SSS"


def test_rsd_needs_a_scorer_and_no_probabilities() -> None:
    rsd = method("rsd")
    assert (rsd.revises, rsd.needs_scorer, rsd.needs_logprobs) == (True, True, False)
    assert not any(method(name).needs_scorer for name in ("trigreason", "specreason", "steer"))
    with pytest.raises(NotImplementedError, match="never asks for a score"):
        rsd.on_score(7)
    with pytest.raises(NotImplementedError, match="never asks for a reward"):
        method("steer").on_reward(0.5)


NEVER_TOLD = Features(Step("So.", (Token("So."),), StepEnd.BLANK_LINE, S))


@pytest.mark.parametrize(
    ("steps", "decisions"),
    [
        ([features("So.", S, SURE, SURE)], "SS"),
        ([features("So.", S, SURE, TORN)], "SX"),  # the geometric mean of .98 and .5 is .7
        ([features("So.", L, TORN)], "SS"),
        ([NEVER_TOLD], "SS"),
        ([features(" \n\n", S, TORN)], "SS"),
        ([features("So.", S, TORN), features("So.", L), features("So.", S, SURE)], "SXSS"),
    ],
)
def test_steer_has_unsure_steps_rewritten(steps: list[Features], decisions: str) -> None:
    assert decided("steer", *steps, confidence=0.72) == decisions


@pytest.mark.parametrize(("bound", "decisions"), [(0.5, "SS"), (0.5001, "SX"), (0, "SS")])
def test_the_confidence_must_be_below_the_threshold(bound: float, decisions: str) -> None:
    certain = features("So.", S, [math.log(0.25)], [0.0])
    assert decided("steer", certain, confidence=bound) == decisions


@pytest.mark.parametrize("cue", [*REFLECTION, *AFFIRMATION, *VERIFICATION])
@pytest.mark.parametrize("form", ["{}, 7 is odd.", '"{}', "So, {}: 7", "**{}**"])
def test_the_lrm_writes_steps_that_begin_with_a_cue(cue: str, form: str) -> None:
    step = features(form.format(cue.capitalize()))
    assert decided("speculative_thinking", step, features("7.", L), m=1) == "SXS"


@pytest.mark.parametrize(
    "text", ["We add 7.", "The waiter brings 7.", "Waiting is no option.", "7, wait."]
)
def test_the_srm_writes_on_without_a_cue(text: str) -> None:
    assert decided("speculative_thinking", features(text), m=1) == "SS"


def test_the_lrm_goes_on_for_m_steps() -> None:
    steps = [features("Wait."), *written("LLL")]
    assert decided("speculative_thinking", *steps, m=3) == "SX21S"
    assert decided("speculative_thinking", *steps[:1], m=0) == "SS"


EASY = ("So", "in other words", "double-check")


@pytest.mark.parametrize(
    ("text", "decision"),
    [
        ("So, 7 is odd.", "S"),
        ("so 7 is odd.", "S"),
        ("**So:** 7 is odd.", "S"),
        ("_So_ 7 is odd.", "S"),
        ("In other\nwords, 7.", "S"),
        ("Double-check 7.", "S"),
        ("Sold for 7.", "X"),
        ("So-called odd numbers.", "X"),
        ("In other cases 7.", "X"),
        ("Double 7.", "X"),
        ("7 is odd, so yes.", "X"),
        ("7", "X"),
        (" \n\n", "S"),
    ],
)
def test_the_srm_writes_steps_that_begin_with_a_switch_cue(text: str, decision: str) -> None:
    assert decided("relaygen", features(text), cues=EASY) == f"1{decision}"


def test_in_relaygen_the_lrm_begins_and_the_srm_is_asked_after_each_of_its_steps() -> None:
    steps = [*written("L"), features("7 is odd."), *written("L"), features("So 7.")]
    assert decided("relaygen", *steps, cues=EASY) == "1SXSS"


@given(st.text(st.sampled_from("ab7 .,*_'-\n"), max_size=12))
def test_a_step_begins_with_its_first_word(text: str) -> None:
    word = first_word(text)
    assert begins_with_cue(text, (word or "x",)) is bool(word)
    assert not begins_with_cue("z" + text.lstrip("_"), (word or "x",))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Wait, no.", "wait"),
        ("**Step 1**", "step"),
        ("1. Add.", "1"),
        ("let's see", "let's"),
        ("Double-check it", "double-check"),
        ("So- no", "so"),
        ("...", ""),
    ],
)
def test_the_first_word_of_a_step(text: str, word: str) -> None:
    assert first_word(text) == word


@pytest.mark.parametrize(
    ("tag", "text", "m", "decisions"),
    [
        ("<bigmodel>", "This is hard. <bigmodel>\n\n", 2, "S21S"),
        ("<bigmodel>", "This is hard.\n\n", 2, "SSSS"),
        ("<bigmodel>", "This is hard. <bigmodel>\n\n", 0, "SSSS"),
        ("<|llm_offload|>", "<|llm_offload|>", 1, "S1SS"),
    ],
)
def test_the_srm_asks_by_its_tag(tag: str, text: str, m: int, decisions: str) -> None:
    after = written("LL") if decisions[1] != "S" else written("ss")
    assert decided("splitreason", features(text), *after, tag=tag, m=m) == decisions


def method(name: str, **thresholds: object) -> Method:
    return MethodRun.of(name, Thresholds(**thresholds)).method  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "off"),
    [
        ("planning", {"n": 0}),
        ("speculative_thinking", {"m": 0}),
        ("splitreason", {"m": 0}),
    ],
)
def test_a_method_that_never_calls_the_lrm_needs_none(name: str, off: dict[str, int]) -> None:
    assert method(name, **off).authors == {S}
    assert method(name).authors == {S, L}


def test_only_methods_that_look_at_a_beginning_glance() -> None:
    names = ("random", "trigreason", "glimprouter", "relaygen")
    assert {name: method(name).glance for name in names} == dict(
        zip(names, (0, 0, 1, 8), strict=True)
    )
    assert method("relaygen").revises
    assert not method("relaygen").needs_logprobs
    assert method("glimprouter").revises
    assert method("glimprouter").needs_logprobs


def test_steer_needs_the_probabilities_of_what_was_written_alone() -> None:
    steer = method("steer")
    assert (steer.revises, steer.needs_logprobs, steer.needs_alternatives) == (True, True, False)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"share": 1.1}, "share"),
        ({"every": 0}, "every"),
        ({"entropy": -1}, "entropy"),
        ({"confidence": 1.1}, "confidence"),
        ({"cues": ()}, "cues must be words, one at least"),
        ({"cues": ("so", " ,")}, "cues must be words"),
        ({"tag": " "}, "tag"),
    ],
)
def test_thresholds_out_of_range_are_refused(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        method("random", **wrong)
