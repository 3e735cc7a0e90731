"""What several test files need: the bundled pair, and patience of a bounded kind."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from time import perf_counter

import pytest
import pytest_asyncio
from hypothesis import settings

from trigreason.bundled import load_pair
from trigreason.pairs import Pair

if sys.dont_write_bytecode:  # the tests start programs by the hundred: compile once, off the tree
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(Path(__file__).parents[1] / ".pytest_cache" / "bytecode")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix

SLOW_FILE = re.compile(r"^pytestmark = (pytest|\[.*\bpytest)\.mark\.slow\b", re.MULTILINE)

settings.register_profile("without deadlines", deadline=None)
settings.load_profile("without deadlines")  # a busy machine is no fault of an example


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The fast suite does not even import what a file of slow tests alone imports."""
    if config.option.markexpr != "not slow" or collection_path.suffix != ".py":
        return None
    return bool(SLOW_FILE.search(collection_path.read_text(encoding="utf-8"))) or None


@pytest.fixture(autouse=True)
def root_logger() -> Iterator[None]:
    """Inspect's first evaluation has every log record of the process written to standard output."""
    logger = logging.getLogger()
    handlers, level = logger.handlers[:], logger.level
    yield
    logger.handlers[:] = handlers
    logger.setLevel(level)


@pytest_asyncio.fixture
async def bundled_pair() -> AsyncIterator[Pair]:
    """The real pair in this process; loading takes milliseconds, so every test has its own."""
    pair = await load_pair()
    yield pair
    await pair.close()


async def soon(holds: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether something comes to hold in time, on a busy machine too."""
    deadline = perf_counter() + seconds
    while not holds():
        if perf_counter() > deadline:
            return False
        await asyncio.sleep(0.005)
    return True
