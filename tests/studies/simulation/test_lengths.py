"""How long prompts are, where a request was recorded and where none was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.studies.simulation.recordings import LRM, SRM, step
from trigreason.reasoning import Author, Message, Purpose, Stretch, Thresholds, Trace, Trigger
from trigreason.studies.simulation.lengths import PromptLengths


def request(author: Author, purpose: Purpose, prompt: int | None) -> Stretch:
    return Stretch(author, purpose, prompt_tokens=prompt, completion_tokens=100)


WRITE, JUDGE, ANSWER = Purpose.WRITE, Purpose.JUDGE, Purpose.ANSWER

JUDGED = Trace(
    method="specreason",
    thresholds=Thresholds(),
    messages=(Message("user", "?"),),
    models={SRM: "small", LRM: "large"},
    steps=[
        step(SRM, 20, score=9),
        step(SRM, 40, score=2, standing=False),
        replace(step(LRM, 30, trigger=Trigger.JUDGE_REJECTION), stretch=3),
        replace(step(SRM, 10, score=9), stretch=4),
    ],
    stretches=[
        request(SRM, WRITE, 50),
        request(LRM, JUDGE, 60 + 10 + 24),  # its tokenizer makes 10 of the SRM's 20
        request(LRM, JUDGE, 60 + 30 + 24),
        request(LRM, WRITE, 60 + 10),
        request(SRM, WRITE, 50 + 20 + 60),  # and the SRM's makes 60 of its 30
        request(LRM, JUDGE, 60 + 45 + 24),
        request(LRM, ANSWER, 60 + 45 + 3),
    ],
)


@pytest.mark.parametrize(
    ("author", "index", "tokens"),
    [(SRM, 0, 50), (SRM, 1, 70), (SRM, 3, 130), (LRM, 0, 60), (LRM, 1, 70), (LRM, 4, 105)],
)
def test_prompts_follow_from_the_steps_and_both_tokenizers(
    author: Author, index: int, tokens: int
) -> None:
    assert PromptLengths(JUDGED).write(author, index) == tokens


@pytest.mark.parametrize(("index", "tokens"), [(0, 94), (1, 114), (3, 129)])
def test_a_judge_reads_the_step_and_what_it_is_asked(index: int, tokens: int) -> None:
    recorded = PromptLengths(JUDGED)
    assert recorded.judge(LRM, index, JUDGED.steps[index].tokens) == tokens
    one_score_lost = replace(JUDGED, stretches=[*JUDGED.stretches, request(LRM, JUDGE, 1)])
    assert PromptLengths(one_score_lost).write(LRM, 2) == 70


def test_the_servers_word_comes_first() -> None:
    assert PromptLengths(JUDGED).answer(LRM) == 108
    assert PromptLengths(replace(JUDGED, stretches=JUDGED.stretches[:-1])).answer(LRM) == 105


def test_a_model_that_was_never_asked_is_taken_to_read_the_question_alike() -> None:
    alone = replace(JUDGED, method="srm", steps=[step(SRM, 20)], stretches=JUDGED.stretches[:1])
    assert PromptLengths(alone).write(LRM, 1) == 70


@pytest.mark.parametrize(
    "spoiled",
    [
        replace(JUDGED.stretches[0], prompt_tokens=None),
        replace(JUDGED.stretches[0], failed="it broke off"),
        replace(JUDGED.stretches[0], completion_tokens=19),
    ],
)
def test_a_request_that_tells_nothing_counts_for_nothing(spoiled: Stretch) -> None:
    alone = replace(JUDGED, method="srm", steps=[step(SRM, 20)], stretches=[spoiled])
    with pytest.raises(ValueError, match="how long its prompt was"):
        PromptLengths(alone)
