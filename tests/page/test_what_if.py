"""What if: the browser's decisions are Python's, on recorded traces under many thresholds."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.gateway.client import Client
from tests.page.browsing import ask, finished, opened
from tests.reasoning.simulation import Draw, drive
from trigreason.bundled import problems
from trigreason.page import decisions_by, run_page
from trigreason.reasoning import (
    Direction,
    StepEnd,
    Thresholds,
    Trace,
    trace_from_json,
    trace_to_json,
    what_if,
)

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
BUSY = {"rho": 0.9, "direction": "under", "k": 1, "n": 2}
"""Thresholds under which the triggers fire again and again."""

FIRINGS = """async ([traces, settings]) => {
  const { firings } = await import("/page/decide.js");
  return traces.map((steps) => settings.map((thresholds) => firings(steps, thresholds)));
}"""
OUTCOMES = """async ([steps, decisions]) => {
  const { decidedOutcomes, movedOutcomes, recordedOutcomes } = await import("/page/whatif.js");
  const kinds = { decided: decidedOutcomes(steps, decisions), recorded: recordedOutcomes(steps) };
  return kinds;
}"""
TEXTS = (
    "So x = 3.\n\n",
    "Wait, maybe not.\n\n",
    "Hmm.\n\n",
    " \n\n",
    "\x1c\x85 \n",
    "\ufeff\n",
    "Then 👍 it is.\n\n",
)
LOGPROBS = (0.0, -0.01, -0.048, -0.0487901641694, -0.05, -0.2, -3.0, -800.0, None)


def settings(seed: int, count: int) -> list[Thresholds]:
    """Thresholds all over the place, the edges among them."""
    chance = random.Random(seed)
    return [
        Thresholds(
            n=chance.choice((0, 1, 5)),
            rho=chance.choice((0.0, 1.0, 0.5, 0.85, 2 / 3, chance.random())),
            tau=chance.choice((1.0, 1.05, 1.5, 1 + chance.random())),
            direction=chance.choice(tuple(Direction)),
            k=chance.choice((1, 2, 3)),
            m=chance.choice((0, 1, 2)),
        )
        for _ in range(count)
    ]


def drawn_traces(seed: int, count: int) -> Iterator[Trace]:
    """Runs of TrigReason over steps out of a hat."""
    chance = random.Random(seed)
    for thresholds in settings(seed, count):
        draws = [
            Draw(
                chance.choice(TEXTS),
                tuple(chance.choice(LOGPROBS) for _ in range(chance.randrange(9))),
                5,
            )
            for _ in range(40)
        ]
        end = chance.choice((StepEnd.BLANK_LINE, StepEnd.CUT_OFF))
        yield drive("trigreason", replace(thresholds, repeats=0), draws, end)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def recorded(client: Client) -> list[Trace]:
    """Runs of the bundled pair, warm so that they differ."""
    traces = []
    for index, problem in enumerate(problems()[::35]):
        told = await client.chat(
            problem.question, temperature=1.2, seed=index, trigreason=BUSY | {"trace": True}
        )
        traces.append(trace_from_json(told.body["trigreason"]["trace"]))
    return traces


def by_python(trace: Trace, thresholds: Thresholds) -> list[str | None]:
    """What fires after each step; repetition is not the page's to decide."""
    now: list[str | None] = [None] * len(trace.steps)
    for firing in what_if(trace, replace(thresholds, repeats=0)):
        now[firing.step] = firing.now and str(firing.now)
    return now


async def test_the_browser_decides_as_python_does(
    chromium: Any, client: Client, recorded: Sequence[Trace]
) -> None:
    traces = [*recorded, *drawn_traces(7, 30)]
    moved = settings(11, 150)
    steps = [trace_to_json(trace)["steps"] for trace in traces]
    asked = [json.loads(json.dumps(steps)), [each.to_json() for each in moved]]
    async with opened(chromium, client.url) as page:
        fired = await page.evaluate(FIRINGS, asked)
    seen = set()
    for trace, under in zip(traces, fired, strict=True):
        for thresholds, now in zip(moved, under, strict=True):
            assert now == by_python(trace, thresholds)
            seen.update(now)
    assert seen == {None, "cognitive_offload", "intervention_request"}


async def test_an_unchanged_run_has_no_difference(
    chromium: Any, client: Client, recorded: Sequence[Trace]
) -> None:
    async with opened(chromium, client.url) as page:
        for trace in recorded:
            decided = decisions_by(trace, trace.method, trace.thresholds)["decisions"]
            steps = trace_to_json(trace)["steps"]
            told = await page.evaluate(OUTCOMES, json.loads(json.dumps([steps, decided])))
            for now, then in zip(told["decided"], told["recorded"], strict=True):
                if then is not None:
                    assert (now["falls"], now["hands"]) == (then["falls"], then["hands"])


def expected(trace: Trace, decided: Sequence[dict[str, Any]]) -> int:
    """How many SRM steps would fall or hand over otherwise."""
    after = {each["step"]: each for each in decided}
    changed = 0
    for index, step in enumerate(trace.steps[:-1]):
        if step.author == "srm" and index in after:
            now = after[index]
            falls, hands = now["decision"] == "rewrite", now["author"] == "lrm"
            then = not step.standing, trace.steps[index + 1].author == "lrm"
            changed += (falls, hands) != then
    return changed


async def test_moved_on_the_page(chromium: Any, client: Client) -> None:
    async with opened(chromium, client.url, viewport={"width": 1280, "height": 2400}) as page:
        await ask(page, problems()[0].question)
        await finished(page)
        link = await page.get_by_role("link", name="Link to this run").get_attribute("href")
        trace_id = link.removeprefix("#run=")
        trace = trace_from_json((await client.get(f"/v1/traces/{trace_id}")).body)
        await page.get_by_role("button", name="What if").click()
        panel = page.get_by_role("region", name="What if")
        outcome = panel.locator(".outcome")
        assert (await outcome.inner_text()).startswith("0 of the SRM's ")
        for rho in (0.5, 0.97, 1.0):
            await panel.get_by_label("ρ, offload", exact=True).fill(str(rho))
            now = decisions_by(trace, "trigreason", replace(trace.thresholds, rho=rho))
            changed = expected(trace, now["decisions"])
            assert (await outcome.inner_text()).startswith(f"{changed} of the SRM's ")
            assert await page.locator(".step.other").count() == changed
        assert changed == len(trace.drafts) > 0, "with rho = 1 no draft would fall"
        assert await page.locator(".would").first.inner_text() == "would stand"
        for method in ("steer", "lrm", "periodic"):
            async with page.expect_response("**/v1/traces/replay"):
                await panel.get_by_label("Method").select_option(method)
            now = decisions_by(trace, method, trace.thresholds)
            changed = expected(trace, now["decisions"])
            await panel.get_by_text(f"{changed} of the SRM's ").wait_for()
        async with page.expect_response("**/v1/traces/replay"):
            await panel.get_by_label("Method").select_option("specreason")
        await panel.get_by_text("This method would need a rating").wait_for()
        await page.get_by_role("button", name="What if").click()
        assert await page.locator(".step.other").count() == 0, "closed, it is as recorded"


async def test_a_file_decides_by_every_method_without_a_server(
    chromium: Any, client: Client, recorded: Sequence[Trace], tmp_path: Path
) -> None:
    trace = recorded[0]
    file = tmp_path / "run.html"
    file.write_text(run_page([trace, recorded[1]]))
    window = {"viewport": {"width": 1280, "height": 2400}, "offline": True}
    async with opened(chromium, file.as_uri(), **window) as page:
        await finished(page, 2)
        assert await page.locator(".comparison thead th").count() == 2
        run = page.locator(".run").first
        texts = await run.locator(".step .text").all_text_contents()
        assert texts == [step.text.rstrip() for step in trace.steps if step.text.strip()]
        await run.get_by_role("button", name="What if").click()
        panel = run.get_by_role("region", name="What if")
        for method in ("steer", "lrm", "trigreason"):
            await panel.get_by_label("Method").select_option(method)
            changed = expected(trace, decisions_by(trace, method, trace.thresholds)["decisions"])
            await panel.get_by_text(f"{changed} of the SRM's ").wait_for()
        await run.get_by_role("button", name="Signals").click()
        await run.locator(".step .t").first.wait_for()
