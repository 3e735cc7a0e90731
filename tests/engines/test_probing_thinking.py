"""How a model thinks and whether its text falls into steps: tables of what was seen."""

from __future__ import annotations

import pytest

from trigreason.engines.probing.probe_requests import Arrival, ProbeAnswer
from trigreason.engines.probing.report import State
from trigreason.engines.probing.thinking import judge_steps, judge_thinking
from trigreason.reasoning import THINK_TAGS, Tags, Token

YES, NO, UNKNOWN = State.YES, State.NO, State.UNKNOWN
BRACKETS = Tags("[THINK]", "[/THINK]")


@pytest.mark.parametrize(
    ("begun", "tags", "guessed", "state", "said"),
    [
        ("First, I add", None, False, YES, "in the open, as its template says"),
        ("First, I add", THINK_TAGS, False, YES, "in <think>, as its template says"),
        ("\n<think>\nSo", THINK_TAGS, True, YES, "in <think>; it begins so by itself"),
        ("[THINK]So", BRACKETS, False, YES, "in [THINK]; it begins so by itself"),
        ("First, I add", None, True, UNKNOWN, "in the open, guessed"),
        ("First, I add", THINK_TAGS, True, UNKNOWN, "in <think>, guessed"),
        ("", None, False, YES, "in the open"),
        ("<think>So", None, False, NO, "begins with <think>, but should think in the open"),
        ("[THINK]So", THINK_TAGS, False, NO, "begins with [THINK], but should think in <th"),
        ("It writes <think> first", None, False, YES, "in the open"),
    ],
)
def test_thinking(begun: str, tags: Tags | None, guessed: bool, state: State, said: str) -> None:
    finding = judge_thinking(begun, tags, guessed=guessed)
    assert finding.state is state
    assert said in finding.evidence
    if state is NO:
        assert f'thinking = "{begun[:7]}"' in (finding.advice or "")


def wrote(*pieces: str) -> ProbeAnswer:
    return ProbeAnswer([Arrival(0.0, [Token(piece)]) for piece in pieces])


LINE = [*(["word"] * 31), "\n"]


@pytest.mark.parametrize(
    ("pieces", "state", "said", "advice"),
    [
        (["One.", "\n\n", "Two."], YES, "a step has ended within 3 tokens", None),
        (["One.\n\n", "Two.\n\n"], YES, "2 steps have ended within 2 tokens", None),
        (["One.", "\n", "Two."], UNKNOWN, "no more than 3 tokens", None),
        ([*LINE, *LINE, *LINE], NO, "no blank line in 96 tokens, but 3 line ends", "line_end"),
        (["word"] * 96, NO, "no blank line in 96 tokens", None),
        ([*["word"] * 80, "\n", "word"], NO, "no blank line in 82 tokens", None),
        (["word"] * 63, UNKNOWN, "no more than 63 tokens", None),
        (["```\n", *["code\n\n"] * 80], NO, "no blank line in 81 tokens", None),
    ],
)
def test_steps(pieces: list[str], state: State, said: str, advice: str | None) -> None:
    finding = judge_steps(wrote(*pieces))
    assert finding.state is state
    assert said in finding.evidence
    assert (advice or "") in (finding.advice or "")
    assert bool(finding.advice) is bool(advice)
