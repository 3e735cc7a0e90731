"""Asking on the page: what streams, what stops it, and what is said about it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import soon
from tests.gateway.client import Client, asked_gateway
from tests.gateway.scripted import pair_toml, scripted
from tests.gateway.test_in_the_open import in_the_open
from tests.page.browsing import ask, finished, opened, shown, wide
from tests.scripted_server import chatter, say
from trigreason.bundled import problems
from trigreason.reasoning import Author, trace_from_json

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
QUESTION = problems()[0].question


async def trace_on(page: Any, client: Client) -> Any:
    """The trace that the gateway kept of the run on the page."""
    link = await page.get_by_role("link", name="Link to this run").get_attribute("href")
    return trace_from_json((await client.get(f"/v1/traces/{link.removeprefix('#run=')}")).body)


async def test_a_run_is_on_the_page_as_in_its_trace(chromium: Any, client: Client) -> None:
    async with opened(chromium, client.url) as page:
        await ask(page, QUESTION)
        await finished(page)
        trace = await trace_on(page, client)
        written = [step for step in trace.steps if step.text.strip()]
        texts = await page.locator(".step .text").all_text_contents()
        assert texts == [step.text.rstrip() for step in written]
        names = await page.locator(".step .name").all_text_contents()
        assert names == [step.author.upper() for step in written]
        struck = await page.locator("s.text").all_text_contents()
        assert struck == [step.text.rstrip() for step in trace.drafts]
        handovers = await page.locator(".handover").all_text_contents()
        fired = [each for each in trace.handovers if each.trigger is not None]
        assert len(handovers) == len(fired) > 1
        assert handovers[0].startswith("Strategic priming: The LRM writes the first")
        offload = next(each for each in fired if each.trigger == "cognitive_offload")
        because = trace.steps[offload.step - 1]
        share = shown(because.ratio, trace.thresholds.rho)
        told = next(each for each in handovers if each.startswith("Cognitive offload"))
        assert f"{share} of the step's {len(because.logprobs)} tokens" in told
        bar = await page.get_by_role("img").get_attribute("aria-label")
        assert bar == (
            f"The SRM wrote {shown(trace.smt)}, the LRM {shown(1 - trace.smt)} of the thinking"
        )
        numbers = await page.locator(".meters dd").all_text_contents()
        assert numbers[0] == str(trace.thinking_tokens)
        assert numbers[2].startswith(str(len(trace.drafts)))
        assert numbers[3] == str(len([each for each in fired if each.writer is Author.LRM]))
        assert numbers[5] == "–", "the bundled pair has no price"
        assert "boxed" not in await page.locator(".answer .text").inner_text()


async def test_signals_are_shown_on_demand(chromium: Any, client: Client) -> None:
    async with opened(chromium, client.url, viewport={"width": 1280, "height": 4000}) as page:
        await ask(page, QUESTION)
        await finished(page)
        before = await page.locator(".step .text").all_text_contents()
        assert await page.locator(".t").count() == 6, "those of the legend"
        assert not await page.locator(".facts").first.is_visible()
        await page.get_by_role("button", name="Signals").click()
        await page.locator(".step .t").first.wait_for()
        assert await page.locator(".step .text").all_text_contents() == before
        trace = await trace_on(page, client)
        first = next(step for step in trace.steps if step.text.strip())
        spans = page.locator(".step").first.locator(".t")
        assert await spans.count() == len([each for each in first.lengths if each])
        srm = next(step for step in trace.steps if step.author is Author.SRM)
        facts = await page.locator(".step.srm .facts").first.inner_text()
        assert f"r = {shown(srm.ratio, trace.thresholds.rho)}" in facts
        assert f"(ρ = {shown(0.92)})" in facts


async def test_thresholds_and_method_are_sent(chromium: Any, client: Client) -> None:
    async with opened(chromium, client.url) as page:
        await page.locator("#pair option").first.wait_for(state="attached")
        await page.click("#thresholds summary")
        await page.get_by_label("ρ, offload", exact=True).fill("0.5")
        await page.get_by_label("n, priming", exact=True).fill("3")
        assert await page.locator("#changed").inner_text() == "changed: rho = 0.5, n = 3"
        await ask(page, QUESTION)
        await finished(page)
        trace = await trace_on(page, client)
        assert (trace.method, trace.thresholds.rho, trace.thresholds.n) == ("trigreason", 0.5, 3)
        await page.select_option("#method", "lrm")
        assert await page.locator("#fields").inner_text() == "This method has none."


async def test_a_threshold_out_of_bounds_is_not_sent(chromium: Any, client: Client) -> None:
    async with opened(chromium, client.url) as page:
        await page.locator("#pair option").first.wait_for(state="attached")
        await page.click("#thresholds summary")
        await page.get_by_label("ρ, offload", exact=True).fill("2")
        await page.click("#thresholds summary")
        await ask(page, QUESTION)
        assert await page.get_by_label("ρ, offload", exact=True).is_visible()
        assert await page.locator(".run").count() == 0
        await page.get_by_role("button", name="As configured").click()
        await page.click("#submit")
        await finished(page)


async def test_two_methods_side_by_side(chromium: Any, client: Client) -> None:
    async with opened(chromium, client.url) as page:
        await page.locator("#pair option").first.wait_for(state="attached")
        await page.select_option("#beside", "lrm")
        await ask(page, QUESTION)
        await finished(page, 2)
        heads = await page.locator(".comparison thead th").all_text_contents()
        assert heads == ["TrigReason", "LRM only"]
        boxes = [await each.bounding_box() for each in await page.locator(".run").all()]
        assert boxes[0]["y"] == boxes[1]["y"]
        assert boxes[0]["x"] + boxes[0]["width"] < boxes[1]["x"]
        assert await page.locator(".run >> nth=1 >> .step.srm").count() == 0


@pytest.mark.parametrize("how", ["button", "escape"])
async def test_stop_reaches_the_models(chromium: Any, tmp_path: Path, how: str) -> None:
    async with (
        scripted(lambda _: chatter("Let me think.\n\nWait, ")) as server,
        asked_gateway(tmp_path, pair_toml(server.url)) as client,
        opened(chromium, client.url) as page,
    ):
        await ask(page, "?")
        await page.get_by_text("on on on").first.wait_for()
        assert server.open_streams == 1
        assert await page.locator("#submit").is_disabled()
        if how == "button":
            await page.get_by_role("button", name="Stop").click()
        else:
            await page.keyboard.press("Escape")
        assert await soon(lambda: server.open_streams == 0)
        assert await soon(lambda: client.is_idle)
        assert await page.get_by_text("Stopped. The models were told").is_visible()
        assert await page.get_by_text("on on on").first.is_visible(), "what was written stays"
        assert await page.locator("#submit").is_enabled()


async def test_a_pair_that_thinks_in_the_open(chromium: Any, tmp_path: Path) -> None:
    text = "We add.\n\nWait, it is 3.\n\nSo it is \\boxed{72}."
    async with (
        scripted([say(text)]) as server,
        asked_gateway(
            tmp_path, in_the_open(server.url) + "thresholds = { n = 0, rho = 1.0 }\n"
        ) as client,
        opened(chromium, client.url) as page,
    ):
        await ask(page, "?")
        await finished(page)
        texts = await page.locator(".step .text").all_text_contents()
        assert texts == text.split("\n\n")
        assert await page.locator(".answer .text").text_content() == "So it is 72."


async def test_a_failure_is_told(chromium: Any, tmp_path: Path) -> None:
    failing = [say("Hm, well.\n\n", then="error", code=400, error="no")]
    async with (
        scripted(failing) as server,
        asked_gateway(tmp_path, pair_toml(server.url)) as client,
        opened(chromium, client.url) as page,
    ):
        await ask(page, "?")
        alert = page.locator(".notes [role=alert]")
        await alert.wait_for()
        assert "A model of this pair failed" in await alert.inner_text()
        assert await page.get_by_text("Hm, well.").is_visible()


async def test_the_cost_so_far_is_told_where_there_are_prices(
    chromium: Any, tmp_path: Path
) -> None:
    toml = pair_toml("URL").replace(
        "[pairs.p]", "prices = { input = 1000, output = 2000 }\n[pairs.p]"
    )
    replies = [say("First.\n\n"), chatter("Second.\n\n", pause=0.02)]
    async with (
        scripted(replies) as server,
        asked_gateway(
            tmp_path, toml.replace("URL", server.url) + "[pairs.p.thresholds]\nn = 1\nrho = 1\n"
        ) as client,
        opened(chromium, client.url) as page,
    ):
        await ask(page, "?")
        await page.get_by_text("on on on").first.wait_for()
        await page.wait_for_timeout(400)
        cost = await page.locator(".meters dd").last.inner_text()
        assert float(cost.removeprefix("$")) > 0.01, "the LRM's request is over and paid"
        await page.keyboard.press("Escape")


async def test_the_key_is_asked_for_and_stays_in_the_tab(chromium: Any, tmp_path: Path) -> None:
    async with asked_gateway(tmp_path, "") as client:
        key = (await client.service.storage.create_key("ada")).text
        await asyncio.sleep(2.1)  # until the gateway looks again whether there are keys
        refused = ("401",)
        async with opened(chromium, client.url, accepts_failures=refused) as page:
            field = page.get_by_label("Key", exact=True)
            await field.wait_for()
            await field.fill("tr-wrong")
            await field.press("Enter")
            await page.get_by_text("unknown or revoked").wait_for()
            await field.fill(key)
            await field.press("Enter")
            await page.locator("#pair option").first.wait_for(state="attached")
            await ask(page, QUESTION)
            await finished(page)
            kept = await page.evaluate("[{...sessionStorage}, {...localStorage}, document.cookie]")
            assert kept == [{"trigreason.key": key}, {}, ""]
            assert key not in await page.content()
            assert key not in page.url
            await page.get_by_role("button", name="Forget the key").click()
            await field.wait_for()
            assert await page.evaluate("sessionStorage.length") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_phone_has_room_for_everything(
    chromium: Any, client: Client, scheme: str, tmp_path: Path
) -> None:
    small = {"viewport": {"width": 320, "height": 640}, "color_scheme": scheme}
    async with opened(chromium, client.url, **small) as page:
        await ask(page, QUESTION)
        await finished(page)
        await page.get_by_role("button", name="Signals").click()
        await page.get_by_role("button", name="What if").click()
        await page.click("#thresholds summary")
        assert await wide(page) == 0
        paper = await page.evaluate("getComputedStyle(document.body).backgroundColor")
        light = [int(part) > 128 for part in paper[4:-1].split(",")]
        assert light == [scheme == "light"] * 3
        await page.goto(f"{client.url}/#runs")
        await page.get_by_role("table").first.wait_for()
        assert await wide(page) == 0


async def test_it_can_be_used_with_the_keyboard_alone(chromium: Any, client: Client) -> None:
    async with opened(chromium, client.url) as page:
        await page.locator("#pair option").first.wait_for(state="attached")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.textContent") == "Skip to the page"
        await page.locator("#question").focus()
        await page.keyboard.type(QUESTION.replace("\n", " "))
        await page.keyboard.press("Control+Enter")
        await finished(page)
        await page.get_by_role("button", name="Signals").focus()
        await page.keyboard.press("Space")
        pressed = await page.get_by_role("button", name="Signals").get_attribute("aria-pressed")
        assert pressed == "true"
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.get_by_role("region", name="What if").wait_for()
        ring = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert ring == "solid"


async def test_a_screen_reader_hears_the_beginning_and_the_end(
    chromium: Any, client: Client
) -> None:
    async with opened(chromium, client.url) as page:
        await ask(page, QUESTION)
        await finished(page)
        status = await page.locator(".run > [role=status]").inner_text()
        assert status.startswith("The answer is here. ")
        assert "by the SRM" in status
        assert await page.locator("[aria-live]").count() == 0
