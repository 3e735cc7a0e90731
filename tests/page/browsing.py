"""A real Chromium for tests, and what must hold of every page that it opens."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest

from trigreason.cli.words import percent

CHROMIUM_VARIABLE = "TRIGREASON_CHROMIUM"
PATIENCE = 60_000
"""Milliseconds for anything to show; a busy machine may take long."""

MISSING = "not installed; `uv sync --group pages` does it"


def chromium() -> str | None:
    """Where the program is; None if there is none."""
    if named := os.environ.get(CHROMIUM_VARIABLE):
        return named
    found = map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))
    return next((path for path in found if path), None)


@dataclass
class Watched:
    """A page, and what it must not do: complain, fail, or ask another host."""

    page: Any
    problems: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("console", self._told)
        self.page.on("pageerror", lambda error: self.problems.append(f"error: {error}"))
        self.page.on("request", self._asked)

    def _told(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type}: {message.text}")

    def _asked(self, request: Any) -> None:
        url = urlsplit(request.url)
        if url.scheme not in ("data", "blob", "file") and url.hostname != "127.0.0.1":
            self.problems.append(f"asked {request.url}")


@asynccontextmanager
async def browser() -> AsyncIterator[Any]:
    """Chromium; the test is skipped with a reason where there is none."""
    playwright: Any = pytest.importorskip("playwright.async_api", reason=MISSING)
    program = chromium()
    if program is None:
        pytest.skip(f"no Chromium is installed, and {CHROMIUM_VARIABLE} names none")
    async with playwright.async_playwright() as driver:
        opened = await driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield opened
        finally:
            await opened.close()


@asynccontextmanager
async def opened(browser: Any, url: str, **how: Any) -> AsyncIterator[Any]:
    """A page at ``url`` in a window of its own.

    At the end the test fails if the page complained, failed or asked another host.
    ``accepts_failures`` are words of complaints that belong to the test.
    """
    accepted: tuple[str, ...] = how.pop("accepts_failures", ())
    context = await browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **how})
    page = await context.new_page()
    page.set_default_timeout(PATIENCE)
    watched = Watched(page)
    watched.watch()
    try:
        await page.goto(url)
        yield page
        problems = [each for each in watched.problems if not any(word in each for word in accepted)]
        assert problems == []
    finally:
        await context.close()


def shown(share: float | None, bound: float | None = None) -> str:
    """A share in per cent as the page writes it, which breaks no line before the sign."""
    assert share is not None
    return percent(share, bound).replace(" ", "\N{NO-BREAK SPACE}")


async def ask(page: Any, question: str) -> None:
    await page.locator("#pair option").first.wait_for(state="attached")
    await page.fill("#question", question)
    await page.click("#submit")


async def finished(page: Any, runs: int = 1) -> None:
    """Wait until runs are over and can be looked into."""
    await page.get_by_role("button", name="What if").nth(runs - 1).wait_for()


async def wide(page: Any) -> int:
    """By how many pixels the page is wider than its window."""
    sizes: list[int] = await page.evaluate(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    return sizes[0] - sizes[1]
