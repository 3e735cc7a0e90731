"""Models that mark no thinking, that mark it otherwise, or that forget to close it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.scripted_server import SURE, Double, Reply, Script, say, scripted_pair, words
from trigreason.answers import given_answer
from trigreason.budget import Budget
from trigreason.engines.base import Capabilities
from trigreason.engines.completions import CompletionsEngine
from trigreason.engines.templates import ChatTemplate
from trigreason.events import AnswerText, Event, ThinkingText
from trigreason.pairs import JudgePrompt
from trigreason.reasoner import reason
from trigreason.reasoning import (
    THINK_TAGS,
    Author,
    Message,
    StepBreak,
    StepEnd,
    StopReason,
    Tags,
    Thresholds,
    Trace,
    load_trace,
    replay,
    trace_to_json,
)

SILENT = Thresholds(n=0, rho=1.0, m=0)
BRACKETS = Tags("[THINK]", "[/THINK]")


@asynccontextmanager
async def pair_in_the_open(
    srm: Script = (), lrm: Script = (), **of_the_pair: Any
) -> AsyncIterator[Double]:
    async with scripted_pair(srm, lrm, **of_the_pair) as double:
        double.pair.srm.tags = double.pair.lrm.tags = None
        yield double


async def told(double: Double, **how: Any) -> tuple[Trace, list[Event]]:
    events = [event async for event in reason(double.pair, "Why?", **how)]
    trace = events[-1].trace  # type: ignore[union-attr]
    return trace, events


def texts(events: list[Event], kind: type[ThinkingText] | type[AnswerText]) -> str:
    return "".join(event.text for event in events if isinstance(event, kind))


# In the open


async def test_the_text_is_the_answer_and_nothing_is_asked_behind_it() -> None:
    text = "We add.\n\nSo it is \\boxed{72}."
    async with pair_in_the_open([say(text)]) as double:
        trace, events = await told(double, thresholds=SILENT)
        prompts = double.srm.prompts
    assert len(prompts) == 1
    assert prompts[0].endswith("<|im_start|>assistant\n")
    assert trace.in_the_open
    assert (trace.stop, trace.limit) == (StopReason.COMPLETE, None)
    assert trace.thinking == trace.reply == text
    assert trace.answer == "So it is \\boxed{72}."
    assert (trace.answer_author, trace.answer_tokens) == (Author.SRM, 0)
    assert texts(events, ThinkingText) == text
    assert texts(events, AnswerText) == ""


async def test_both_models_go_on_from_the_same_bare_text() -> None:
    srm = [Reply([*words("So sure.\n\n", SURE), *words("Lost.\n\n")]), say("Two: \\boxed{2}")]
    async with pair_in_the_open(srm, [say("Plan.\n\nMore."), say("Better.\n\n")]) as double:
        trace, _ = await told(double, thresholds=Thresholds(n=1))
        prompts = [each.rpartition("assistant\n")[2] for each in double.srm.prompts]
        large = [each.rpartition("assistant\n")[2] for each in double.lrm.prompts]
    assert prompts == ["Plan.\n\n", "Plan.\n\nBetter.\n\n"]
    assert large == ["", "Plan.\n\n"]
    assert trace.thinking == "Plan.\n\nBetter.\n\nTwo: \\boxed{2}"
    assert not any(each.agrees is False for each in replay(trace))


@pytest.mark.parametrize(
    ("budget", "text", "stop", "limit", "answer"),
    [
        (Budget(thinking_tokens=4), "One two three four five.", "truncated", "thinking_tokens", ""),
        (Budget(steps=1), "It is \\boxed{4}.\n\nThen.", "closed", "steps", "It is \\boxed{4}."),
        (Budget(steps=1), "It may be 4.\n\nThen.", "truncated", "steps", ""),
    ],
)
async def test_a_limit(budget: Budget, text: str, stop: str, limit: str, answer: str) -> None:
    async with pair_in_the_open([say(text)]) as double:
        trace, _ = await told(double, thresholds=SILENT, budget=budget)
        assert len(double.srm.prompts) == 1, "no answer is asked for"
    assert (trace.stop, trace.limit, trace.answer) == (stop, limit, answer)
    assert trace.reply, "what was written is not lost"


@pytest.mark.parametrize("text", ["", "\n\n", " "])
async def test_nothing_written_is_no_success(text: str) -> None:
    async with pair_in_the_open([say(text)]) as double:
        trace, _ = await told(double, thresholds=SILENT)
    assert (trace.stop, trace.answer) == (StopReason.EMPTY, "")


async def test_a_text_without_any_box_is_the_answer_as_a_whole() -> None:
    async with pair_in_the_open([say("Roses are red.\n\nViolets are blue.")]) as double:
        trace, _ = await told(double, thresholds=SILENT)
    assert trace.answer == trace.reply == "Roses are red.\n\nViolets are blue."


async def test_a_closing_tag_is_text_like_any_other() -> None:
    text = "The tag </think> ends thinking.\n\nIt does."
    async with pair_in_the_open([say(text)]) as double:
        trace, _ = await told(double, thresholds=SILENT)
    assert trace.reply == text


async def test_the_judge_is_asked_without_tags() -> None:
    srm = [say("One.\n\nTwo: \\boxed{2}")]
    async with pair_in_the_open(srm, [say("9"), say("9")]) as double:
        trace, _ = await told(double, method="specreason")
        asked = double.lrm.prompts[0]
    assert "think>" not in asked
    assert asked.endswith("<|im_start|>assistant\nThe score of the last step is ")
    assert trace.stop is StopReason.COMPLETE


async def test_one_model_in_the_open_and_one_in_tags() -> None:
    srm = [Reply(words("So sure.\n\n", SURE)), say("It is \\boxed{3}.")]
    async with scripted_pair(srm, [say("Better.\n\n")]) as double:
        double.pair.srm.tags = None
        trace, events = await told(double, thresholds=Thresholds(n=0))
        assert double.lrm.prompts[0].endswith("assistant\n<think>\n")
        assert double.srm.prompts[1].endswith("assistant\nBetter.\n\n")
    assert not trace.in_the_open
    assert trace.stop is StopReason.COMPLETE
    assert texts(events, AnswerText) == trace.answer == "It is \\boxed{3}."


async def test_a_trace_in_the_open_reads_back() -> None:
    async with pair_in_the_open([say("It is 4.")], step_break=StepBreak.LINE_END) as double:
        trace, _ = await told(double, thresholds=SILENT)
    again = load_trace(json.dumps(trace_to_json(trace)))
    assert again.in_the_open
    assert again.step_break is StepBreak.LINE_END
    assert again.reply == trace.reply


# Other tags


async def test_other_tags_are_spoken_and_understood() -> None:
    srm = [Reply([*words("So 4.\n\n"), *words("[/THI"), *words("NK]"), *words("It is 4.")])]
    async with scripted_pair(srm) as double:
        double.pair.srm.tags = BRACKETS
        trace, _ = await told(double, thresholds=SILENT)
        assert double.srm.prompts[0].endswith("assistant\n[THINK]\n")
    assert (trace.thinking, trace.answer) == ("So 4.\n\n", "It is 4.")
    assert trace.stop is StopReason.COMPLETE


async def test_an_answer_is_asked_for_behind_the_models_own_tag() -> None:
    async with scripted_pair([say("So 4."), say("It is 4.")]) as double:
        double.pair.srm.tags = BRACKETS
        trace, _ = await told(double, thresholds=SILENT)
        assert double.srm.prompts[1].endswith("[THINK]\nSo 4.\n[/THINK]\n\n")
    assert trace.answer == "It is 4."


@pytest.mark.parametrize(
    ("tags", "written", "opening"),
    [
        (THINK_TAGS, "<think>\nSo 4.\n\n", "<think>\nThe score of the last step is "),
        (BRACKETS, "[THINK]\nSo 4.\n\n", "[THINK]\nThe score of the last step is "),
        (None, "So 4.\n\n", "The score of the last step is "),
    ],
)
def test_a_judge_reads_its_own_tags(tags: Tags | None, written: str, opening: str) -> None:
    prefix = JudgePrompt().prefix((Message("user", "2 + 2?"),), "", "So 4.\n\n", tags)
    assert prefix.messages[1].content == written
    engine = CompletionsEngine("http://x/v1", "m", template=ChatTemplate("{{ messages }}"))
    engine.tags = tags
    assert engine.prompt(prefix).endswith(opening)
    assert tags == THINK_TAGS or "<think>" not in engine.prompt(prefix)


# Tags that are not closed


async def test_an_answer_given_in_thinking_that_is_not_closed_is_not_asked_for_again() -> None:
    async with scripted_pair([say("We add.\n\nSo \\boxed{72}.")]) as double:
        trace, events = await told(double, thresholds=SILENT)
        assert len(double.srm.prompts) == 1
    assert (trace.stop, trace.answer) == (StopReason.COMPLETE, "So \\boxed{72}.")
    assert texts(events, AnswerText) == "So \\boxed{72}."


async def test_an_empty_answer_behind_the_tag_leaves_the_one_in_the_thinking() -> None:
    async with scripted_pair([say("So \\boxed{72}.</think>")]) as double:
        trace, _ = await told(double, thresholds=SILENT)
    assert (trace.stop, trace.answer) == (StopReason.COMPLETE, "So \\boxed{72}.")


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("", None),
        ("It may be 4.", None),
        ("One \\boxed{1}.\n\nTwo \\boxed{2}.\n\nBye.", "Two \\boxed{2}."),
        ("One \\boxed{1}.\n\n\\boxed{}", "One \\boxed{1}."),
        ("Sum.\n\nThe final answer is: 4.", "The final answer is: 4."),
        ("Sum.\n\n**Answer:** 4", "**Answer:** 4"),
        ("The answer is 3.\n\nNo, wait.", None),
        ("No answer can be found.", None),
    ],
)
def test_the_answer_that_a_text_gives(text: str, given: str | None) -> None:
    assert given_answer(text) == given


# What ends a step


@pytest.mark.parametrize(
    ("step_break", "steps"),
    [
        (StepBreak.BLANK_LINE, ["One.\nTwo.\n\n", "Three."]),
        (StepBreak.LINE_END, ["One.\n", "Two.\n", "\nThree."]),
    ],
)
async def test_what_separates_steps(step_break: StepBreak, steps: list[str]) -> None:
    async with pair_in_the_open([say("".join(steps))], step_break=step_break) as double:
        trace, _ = await told(double, thresholds=SILENT)
    assert [step.text for step in trace.steps] == steps
    assert trace.steps[0].end is StepEnd(step_break.value)


@pytest.mark.parametrize(("step_break", "stop"), [("blank_line", ["\n\n"]), ("line_end", None)])
async def test_a_server_that_bills_closed_streams_ends_a_step_at_a_blank_line(
    step_break: str, stop: list[str] | None
) -> None:
    able = Capabilities(bills_closed_streams=True)
    lrm = [say("Plan.\n\n")]
    async with pair_in_the_open(
        [say("It is \\boxed{4}.")], lrm, capabilities=able, step_break=StepBreak(step_break)
    ) as double:
        await told(double, thresholds=Thresholds(n=1, rho=1.0))
        assert double.lrm.bodies[0].get("stop") == stop
