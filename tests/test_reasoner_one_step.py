"""Single steps that a server ends itself, where a closed stream may be billed to its end."""

from __future__ import annotations

from dataclasses import replace

from tests.runs import Told, told
from tests.scripted_server import SURE, Double, Reply, chatter, say, scripted_pair, words
from trigreason.engines.base import Capabilities
from trigreason.reasoning import StepEnd, StopReason, Thresholds

BILLING = Capabilities(bills_closed_streams=True)
ONE = Thresholds(n=1, rho=1, m=0)
END = "</think>\n\nIt is."


async def run_with(
    srm: list[Reply], lrm: list[Reply], thresholds: Thresholds = ONE
) -> tuple[Told, Double]:
    async with scripted_pair(srm, lrm, capabilities=BILLING) as double:
        return await told(double.pair, thresholds=thresholds), double


def stops(double: Double) -> list[object]:
    return [body.get("stop") for body in double.lrm.bodies]


async def test_the_server_stops_a_single_step() -> None:
    run, double = await run_with([say("So." + END)], [say("A plan.")])
    assert [step.text for step in run.trace.standing] == ["A plan.\n\n", "So."]
    assert run.trace.steps[0].end is StepEnd.BLANK_LINE
    assert stops(double) == [["\n\n"]]
    assert double.lrm.disconnects == 0


async def test_the_server_stops_a_rewrite() -> None:
    srm = [Reply(words("So very sure.\n\n", SURE)), say("Then." + END)]
    run, double = await run_with(srm, [say("Better.")], Thresholds(n=0))
    assert run.authors == "(S) L S"
    assert stops(double) == [["\n\n"]]


async def test_where_each_step_is_a_request_each_has_the_room_of_one() -> None:
    async with scripted_pair([chatter("So.\n\n"), say("Then." + END)]) as double:
        await told(double.pair, thresholds=replace(ONE, n=0), request_per_step=True)
        room = [body["max_tokens"] for body in double.srm.bodies]
    assert room == [512 + 16 + 2048] * 2


async def test_several_steps_are_one_stream_that_is_closed() -> None:
    run, double = await run_with(
        [say("So." + END)], [chatter("A.\n\nB.\n\n")], Thresholds(n=2, rho=1, m=0)
    )
    assert run.authors == "L L S"
    assert stops(double) == [None]


async def test_a_stop_inside_a_code_block_ends_no_step() -> None:
    run, double = await run_with([say("So." + END)], [say("```\nx = 1"), chatter("y = 2\n```\n\n")])
    assert run.trace.steps[0].text == "```\nx = 1\n\ny = 2\n```\n\n"
    assert run.authors == "L S"
    assert stops(double) == [["\n\n"], None]
    assert double.lrm.prompts[1].endswith("<think>\n```\nx = 1\n\n")


async def test_a_stop_before_anything_was_said_ends_no_step() -> None:
    run, double = await run_with([say("So." + END)], [say("\n\n"), chatter("A plan.\n\n")])
    assert run.trace.steps[0].text == "\n\nA plan.\n\n"
    assert run.authors == "L S"
    assert stops(double) == [["\n\n"], None]


async def test_an_author_that_says_nothing_has_ended_its_turn() -> None:
    run, _ = await run_with([], [say(""), say("It is.")])
    assert run.trace.thinking == ""
    assert run.trace.answer == "It is."


async def test_an_answer_is_not_ended_by_its_first_blank_line() -> None:
    lrm = [say("Clear.</think>\n\nThe answer:"), say("\n\n5.")]
    run, double = await run_with([], lrm)
    assert run.trace.answer == "The answer:\n\n5."
    assert stops(double) == [["\n\n"], None]
    assert double.lrm.prompts[1].endswith("<think>\nClear.</think>\n\nThe answer:")


async def test_an_answer_whose_end_the_server_tells_is_not_asked_for_again() -> None:
    lrm = [say("Clear.</think>\n\nThe answer is 5.", then="eos")]
    run, double = await run_with([], lrm)
    assert run.trace.answer == "The answer is 5."
    assert len(double.lrm.bodies) == 1


async def test_a_turn_whose_end_the_server_tells_ends_the_thinking() -> None:
    run, double = await run_with([], [say("So \\boxed{5}.", then="eos")])
    assert run.trace.answer == "So \\boxed{5}."
    assert len(double.lrm.bodies) == 1


async def test_an_answer_that_a_context_cut_off_is_not_asked_for_again() -> None:
    lrm = [say("Clear.</think>\n\nThe answer:", then="length")]
    run, double = await run_with([], lrm)
    assert (run.trace.stop, run.trace.limit) == (StopReason.TRUNCATED, "context")
    assert len(double.lrm.bodies) == 1


async def test_a_rewrite_that_the_server_stops_may_be_the_first_of_several_steps() -> None:
    async with scripted_pair(
        [say("Wait, so."), say("Then." + END)],
        [say("Better."), say("And so."), say("On.")],
        capabilities=BILLING,
    ) as double:
        run = await told(double.pair, method="speculative_thinking", thresholds=Thresholds(m=2))
    assert run.authors == "(S) L L S"
    assert run.trace.stop is StopReason.COMPLETE
