"""Models by name where the hub, the network or the disk is not there."""

from __future__ import annotations

import asyncio
import errno
import shutil
from pathlib import Path
from time import monotonic, sleep

import pytest
from huggingface_hub import constants

from tests.doubles.hub import MEMBER_TOKEN, TOKEN, Repo, hub_double
from tests.engines.hub.conftest import MODEL, REPOS, Place, Seen
from trigreason.bundled import SRM_FILE
from trigreason.engines.hub import (
    Hub,
    HubName,
    HubUnreachable,
    fetched,
    fetching,
)
from trigreason.engines.hub.errors import explained


@pytest.mark.usefixtures("offline")
async def test_offline_with_an_empty_cache(place: Place) -> None:
    error = await place.error("hf:org/one:Q8_0")
    assert "is not in the cache, and HF_HUB_OFFLINE is set" in str(error)
    assert place.double.requests == []


@pytest.mark.parametrize("name", ["hf:org/one:Q8_0", "hf:org/one", "hf:org/split", "hf:org/many"])
async def test_offline_with_a_full_cache(
    place: Place, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = await place.fetch(name)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    seen = Seen()
    assert await place.fetch(name, seen) == file
    assert seen == Seen()


@pytest.mark.parametrize("name", ["hf:org/one:Q8_0", "hf:org/one"])
async def test_no_network_and_a_full_cache(tmp_path: Path, name: str) -> None:
    async with hub_double(dict(REPOS)) as double:
        file = await Place(double, Hub(double.url, tmp_path)).fetch(name)
    seen = Seen()
    assert await Place(double, Hub(double.url, tmp_path)).fetch(name, seen) == file
    assert seen == Seen()


async def test_no_network_and_an_empty_cache(tmp_path: Path) -> None:
    async with hub_double({}) as double:
        pass
    error = await Place(double, Hub(double.url, tmp_path)).error("hf:org/one:Q8_0")
    assert isinstance(error, HubUnreachable)
    assert "the hub cannot be reached" in error.what


@pytest.mark.parametrize(
    ("name", "what", "advice"),
    [
        ("hf:org/none", "there is no such repository", "HF_TOKEN"),
        ("hf:org/private", "or it is private", "set HF_TOKEN"),
        ("hf:org/gated", "is gated", "then set HF_TOKEN to a token of that account"),
        ("hf:org/one@v9", "has no revision v9", "leave @ out"),
        ("hf:org/tensors", "no GGUF model", "It has model.safetensors, config.json"),
        ("hf:org/many:Q5_K_M", "has no Q5_K_M", "There is Q2_K, Q4_K_M, Q8_0."),
        ("hf:org/many:x.gguf", "has no file x.gguf", "m-Q4_K_M.gguf"),
        ("hf:org/two", "has several matching models", "a-Q8_0.gguf, b-Q8_0.gguf"),
    ],
)
async def test_a_failure_says_what_to_do(place: Place, name: str, what: str, advice: str) -> None:
    error = await place.error(name)
    assert what in error.what
    assert advice in error.advice
    assert error.where == name


async def test_a_gated_model_names_the_page_and_comes_with_a_token_that_may(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert f"{place.double.url}/org/gated" in (await place.error("hf:org/gated")).advice
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    assert "your token must have access" in (await place.error("hf:org/gated")).advice
    monkeypatch.setenv("HF_TOKEN", MEMBER_TOKEN)
    assert (await place.fetch("hf:org/gated")).read_bytes() == MODEL


@pytest.mark.parametrize("name", ["hf:org/private", "hf:org/one"])
async def test_a_wrong_token_is_said_to_be_one(
    place: Place, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    assert "refuses the token" in (await place.error(name)).what


async def test_a_hub_in_trouble_does_not_matter_to_a_full_cache(place: Place) -> None:
    file = await place.fetch("hf:org/one")
    place.double.down = 500
    assert await place.fetch("hf:org/one") == file
    assert "answers with 500" in (await place.error("hf:org/many")).what


async def test_too_little_room_is_noticed_before_a_byte_is_fetched(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=len(MODEL) - 1))
    error = await place.error("hf:org/one")
    assert "100.0 kB are to be fetched and" in error.what
    assert "HF_HOME" in error.advice
    assert place.double.served == {}
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=len(MODEL)))
    assert (await place.fetch("hf:org/one")).read_bytes() == MODEL


async def test_the_bundled_model_comes_whole(tmp_path: Path) -> None:
    async with hub_double({"o/srm": Repo({"srm-Q8_0.gguf": SRM_FILE.read_bytes()})}) as double:
        file = await Place(double, Hub(double.url, tmp_path)).fetch("hf:o/srm")
        assert file.read_bytes() == SRM_FILE.read_bytes()


def wait_for_a_part(cache: Path) -> None:
    """Return once bytes of a download are on disk."""
    deadline = monotonic() + 30
    while not any(part.stat().st_size for part in cache.rglob("*.incomplete")):
        assert monotonic() < deadline, "nothing was written"
        sleep(0.01)


async def test_a_cancelled_download_stops_and_goes_on_the_next_time(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "Hub", lambda: place.hub)
    place.double.pause = 0.01
    name = HubName.parse("hf:org/one:Q8_0")
    task = asyncio.create_task(fetched(name))
    await asyncio.wait_for(place.double.sending.wait(), 30)
    place.double.pause = 0.3  # so that the rest cannot arrive before the program has stopped
    assert place.hub.cache is not None
    await asyncio.to_thread(wait_for_a_part, place.hub.cache)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    place.double.pause = 0.0
    assert (await fetched(name)).read_bytes() == MODEL
    begin, end = place.sent()[-1]  # of the cancelled one the server may have sent all as well
    assert 0 < begin < end == len(MODEL), "it went on where the cancelled one was"


def test_a_full_disk_is_told() -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    told = explained(full, HubName("org/one"), "https://hub/org/one", has_token=False)
    assert str(told) == (
        "hf:org/one: the disk is full. "
        "Make room, or set HF_HOME to another disk, and run it again: it goes on."
    )
