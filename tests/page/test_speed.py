"""The page keeps up: frames while a long thinking streams with its signals, and a long trace.

``python -m tests.page.test_speed`` prints the numbers.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import quantiles
from time import perf_counter
from typing import Any

import pytest

from tests.gateway.client import Client, asked_gateway
from tests.gateway.scripted import pair_toml, scripted
from tests.page.browsing import ask, browser, finished, opened
from tests.scripted_server import Body, Reply, Said
from trigreason.reasoning import (
    Author,
    Message,
    StepEnd,
    StepRecord,
    Thresholds,
    Trace,
    trace_to_json,
)

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
TOKENS = 8192
STREAMED = 1000
"""The last tokens, which arrive at ``RATE`` while the frames are counted."""

RATE = 100.0
"""Tokens per second."""

PER_STEP = 32
WORK = 0.5
"""The most seconds of work per second on the page's main thread: half of every frame is free.

A busy machine shows fewer frames, so the work is what is bounded here, in time of the processor.
"""

OPEN_SECONDS = 1.0
WATCH = """() => {
  globalThis.frames_ = [];
  const note = (now) => { globalThis.frames_.push(now); requestAnimationFrame(note); };
  requestAnimationFrame(note);
}"""
OPENED = """async (text) => {
  const files = new DataTransfer();
  files.items.add(new File([text], "long.json"));
  const began = performance.now();
  document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true }));
  while (!document.querySelector("[aria-expanded=false]")) {
    await new Promise((go) => requestAnimationFrame(go));
  }
  await new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)));
  return performance.now() - began;
}"""


def thought(steps: int) -> list[Said]:
    """Steps of ``PER_STEP`` tokens, sure and unsure ones, some of them hesitating."""
    tokens = []
    for step in range(steps):
        words = [Said(f" word{index}", -0.02 * (index % 40)) for index in range(PER_STEP - 2)]
        opening = Said("Wait" if step % 7 == 0 else f"Step {step}:", -0.3)
        tokens += [opening, *words, Said(".\n\n", -0.001)]
    return tokens


def replies(body: Body) -> Reply:
    """At once what comes before, and then a thinking at ``RATE``."""
    fast = (TOKENS - STREAMED) // PER_STEP
    if "Step 1:" not in body["prompt"]:
        return Reply(thought(fast), per_chunk=PER_STEP)
    slow = thought(STREAMED // PER_STEP)
    return Reply([*slow, Said("</think>"), Said("Done.")], pause=1 / RATE)


def long_toml(url: str) -> str:
    fast = (TOKENS - STREAMED) // PER_STEP
    return (
        pair_toml(url)
        + f"[pairs.p.thresholds]\nn = {fast}\nrho = 1\nm = 0\nrepeats = 0\n"
        + f"[pairs.p.budget]\nthinking_tokens = {2 * TOKENS}\nsteps = 100000\n"
    )


async def measured_stream(chromium: Any, folder: Path) -> dict[str, float]:
    """Frames and work while the last tokens of a long thinking stream, signals shown."""
    async with (
        scripted(replies) as server,
        asked_gateway(folder, long_toml(server.url)) as client,
        opened(chromium, client.url) as page,
    ):
        devtools = await page.context.new_cdp_session(page)
        await devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
        await ask(page, "?")
        await page.get_by_role("button", name="Signals").click()
        await page.locator(".step.srm .t").first.wait_for()
        before = await counters(devtools)
        await page.evaluate(WATCH)
        began = perf_counter()
        await page.wait_for_timeout(6000)
        frames: list[float] = await page.evaluate("globalThis.frames_")
        seconds = perf_counter() - began
        after = await counters(devtools)
        await finished(page)
        tokens = await page.locator(".meters dd").first.inner_text()
        spent = {name: (after[name] - before[name]) / seconds for name in after}
        times = sorted(end - start for start, end in pairwise(frames))
        return {
            "tokens": float(tokens.replace(",", "")),
            "frames per second": 1000 * (len(frames) - 1) / (frames[-1] - frames[0]),
            "95 % of the frames within (ms)": quantiles(times, n=20)[-1],
            "work per second": spent["TaskDuration"],
            "layout per second": spent["LayoutDuration"],
            "script per second": spent["ScriptDuration"],
        }


async def counters(devtools: Any) -> dict[str, float]:
    """Seconds of a processor that the page's main thread has spent, by kind."""
    told = await devtools.send("Performance.getMetrics")
    wanted = ("TaskDuration", "LayoutDuration", "ScriptDuration")
    return {each["name"]: each["value"] for each in told["metrics"] if each["name"] in wanted}


def long_trace(size: int) -> str:
    """A trace of at least ``size`` bytes in JSON."""
    trace = Trace(
        method="trigreason",
        thresholds=Thresholds(),
        messages=(Message("user", "Why?"),),
        models={Author.SRM: "small", Author.LRM: "large"},
    )
    said = thought(1)
    step = StepRecord(
        Author.SRM,
        "".join(each.text for each in said),
        len(said),
        StepEnd.BLANK_LINE,
        0,
        logprobs=tuple(each.logprob for each in said),
        ratio=0.1,
        lengths=tuple(len(each.text) for each in said),
    )
    bytes_each = len(json.dumps(trace_to_json(replace(trace, steps=[step]))))
    steps = [replace(step, standing=index % 5 > 0) for index in range(2 * size // bytes_each)]
    while len(text := json.dumps(trace_to_json(replace(trace, steps=steps)))) < size:
        steps += steps[: len(steps) // 4]
    return text


async def measured_opening(chromium: Any, client: Client) -> tuple[int, float]:
    """The bytes of a long trace, and the seconds until it is shown."""
    text = long_trace(2_000_000)
    async with opened(chromium, client.url) as page:
        await page.locator("#pair option").first.wait_for(state="attached")
        return len(text), await page.evaluate(OPENED, text) / 1000


async def test_a_long_thinking_streams_at_the_screens_rate(chromium: Any, tmp_path: Path) -> None:
    told = await measured_stream(chromium, tmp_path)
    assert told["tokens"] > 0.98 * TOKENS
    assert told["work per second"] < WORK, told


async def test_a_long_trace_opens_at_once(chromium: Any, client: Client) -> None:
    measured = [await measured_opening(chromium, client) for _ in range(2)]
    assert min(size for size, _ in measured) >= 2_000_000
    assert min(seconds for _, seconds in measured) < OPEN_SECONDS


async def _print() -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with browser() as chromium:
            for name, value in (await measured_stream(chromium, Path(folder))).items():
                print(f"{name}: {value:.2f}")
            async with asked_gateway(Path(folder)) as client:
                size, seconds = await measured_opening(chromium, client)
                print(f"a trace of {size / 1e6:.1f} MB: {seconds:.2f} s")


if __name__ == "__main__":
    sys.exit(asyncio.run(_print()))
