"""Runs on the page: kept ones, links to them, two side by side, and trace files."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.client import Client, asked_gateway
from tests.page.browsing import finished, opened
from trigreason.bundled import problems
from trigreason.reasoning import Message, trace_from_json, trace_to_json

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
DROP = """([name, text]) => {
  const files = new DataTransfer();
  files.items.add(new File([text], name));
  document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true }));
}"""


async def answered(client: Client, **fields: Any) -> Any:
    """The `trigreason` object of a run, with its trace."""
    options = {"trace": True, **fields}
    told = await client.chat(problems()[40].question, trigreason=options)
    assert told.status == 200
    return told.body["trigreason"]


async def test_two_kept_runs_side_by_side(chromium: Any, client: Client) -> None:
    small, large = await answered(client), await answered(client, method="lrm")
    async with opened(chromium, f"{client.url}/#runs") as page:
        rows = page.locator("#list tbody tr")
        await rows.first.wait_for()
        question = " ".join(problems()[40].question.split())
        assert question[:60] in await rows.first.inner_text()
        await rows.nth(0).get_by_role("checkbox").check()
        await rows.nth(1).get_by_role("checkbox").check()
        await page.get_by_role("button", name="Show side by side").click()
        await finished(page, 2)
        heads = await page.locator(".comparison thead th").all_text_contents()
        assert heads == ["LRM only", "TrigReason"], "newest first"
        cells = await page.locator(".comparison tbody tr").nth(5).locator("td").all_text_contents()
        assert cells == [str(each["lrm_requests"]) for each in (large, small)]
        shown = page.locator("#list").get_by_role("checkbox")
        if await shown.count() > 2:
            assert await shown.nth(2).is_disabled(), "two are the most"


async def test_a_link_shows_the_run_to_everyone_who_may(chromium: Any, client: Client) -> None:
    told = [await answered(client), await answered(client, method="srm")]
    ids = ",".join(each["trace_id"] for each in told)
    async with opened(chromium, f"{client.url}/#run={ids}") as page:
        await finished(page, 2)
        texts = await page.locator(".run").first.locator(".step .text").all_text_contents()
        steps = told[0]["trace"]["steps"]
        assert texts == [each["text"].rstrip() for each in steps if each["text"].strip()]


async def test_a_link_to_nothing_says_so(chromium: Any, client: Client) -> None:
    url = f"{client.url}/#run=chatcmpl-none"
    async with opened(chromium, url, accepts_failures=("404",)) as page:
        await page.get_by_text("There is no such trace.").wait_for()


@pytest.mark.parametrize("how", ["dropped", "chosen"])
@pytest.mark.parametrize("form", ["trace", "answer"])
async def test_a_trace_file(chromium: Any, tmp_path: Path, how: str, form: str) -> None:
    async with asked_gateway(tmp_path, "") as client:
        trace = (await answered(client))["trace"]
        text = json.dumps(trace if form == "trace" else {"answer": "x", "trace": trace})
        async with opened(chromium, client.url) as page:
            await page.locator("#pair option").first.wait_for(state="attached")
            if how == "dropped":
                await page.evaluate(DROP, ["run.json", text])
            else:
                await page.click("#to-runs")
                file = {"name": "run.json", "mimeType": "application/json"}
                await page.set_input_files("#files", {**file, "buffer": text.encode()})
            await finished(page)
            texts = await page.locator(".step .text").all_text_contents()
            assert texts == [
                each["text"].rstrip() for each in trace["steps"] if each["text"].strip()
            ]
            assert await page.locator("#list tbody tr").count() == 1, "nothing is kept here"
            assert "run.json" in await page.locator("#list tbody tr").inner_text()
            async with page.expect_download() as saved:
                await page.get_by_role("button", name="Save the trace").click()
            kept = await asyncio.to_thread(Path(await (await saved.value).path()).read_text)
            assert trace_from_json(json.loads(kept)) == trace_from_json(trace)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "This is no JSON."),
        ("[]", "This is no trace: it has no schema version."),
        ('{"schema": 1}', "This trace has schema 1, and this page reads 2."),
        ('{"schema": 2, "thresholds": {}, "messages": []}', "This trace is damaged"),
        (
            '{"schema": 2, "thresholds": {}, "messages": [], "stretches": [], "steps": [{}]}',
            "This trace is damaged",
        ),
    ],
)
async def test_a_file_that_is_no_trace(chromium: Any, client: Client, text: str, told: str) -> None:
    async with opened(chromium, client.url) as page:
        await page.locator("#pair option").first.wait_for(state="attached")
        await page.evaluate(DROP, ["odd.json", text])
        problem = page.get_by_role("alert").first
        await problem.get_by_text(told).wait_for()
        assert (await problem.inner_text()).startswith("odd.json: ")


async def test_a_long_conversation_shows_its_last_question(chromium: Any, client: Client) -> None:
    trace = trace_from_json((await answered(client))["trace"])
    turns = (Message("system", "s"), Message("user", "first"), Message("user", "x" * 300))
    text = json.dumps(trace_to_json(replace(trace, messages=turns)))
    async with opened(chromium, client.url) as page:
        await page.locator("#pair option").first.wait_for(state="attached")
        await page.evaluate(DROP, ["run.json", text])
        await finished(page)
        assert await page.locator(".question").inner_text() == "x" * 160 + "…"
        await page.get_by_text("The whole question").click()
        assert await page.locator(".asked").inner_text() == "x" * 300
