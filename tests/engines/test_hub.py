"""The real client of the Hugging Face hub, against a double of the hub."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import random
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep

import pytest
from filelock import FileLock
from huggingface_hub import constants

from tests.doubles.hub import MEMBER_TOKEN, TOKEN, HubDouble, Repo, hub_double
from trigreason.bundled import SRM_FILE
from trigreason.engines.hub import (
    Fetching,
    Hub,
    HubError,
    HubName,
    HubUnreachable,
    downloading,
    fetched,
    fetching,
)
from trigreason.engines.hub.errors import explained

BYTES = random.Random(0).randbytes(100_000)
MODEL = b"GGUF" + BYTES
SHA = hashlib.sha256(MODEL).hexdigest()
PARTS = {f"Q4_K_M/m-Q4_K_M-0000{n}-of-00003.gguf": b"GGUF" + BYTES[n:] for n in (1, 2, 3)}
REPOS = {
    "org/one": Repo({"README.md": b"#", "m-Q8_0.gguf": MODEL}, branches=("main", "v1")),
    "org/many": Repo(
        {
            "m-Q2_K.gguf": b"GGUF2",
            "m-Q4_K_M.gguf": MODEL,
            "m-Q8_0.gguf": b"GGUF8",
            "mmproj-F16.gguf": b"GGUFm",
            "imatrix_m.gguf": b"GGUFi",
        },
        licence="mit",
    ),
    "org/split": Repo({**PARTS, "m-Q8_0.gguf": b"GGUF8"}),
    "org/gated": Repo({"m-Q8_0.gguf": MODEL}, gated=True),
    "org/private": Repo({"m-Q8_0.gguf": MODEL}, private=True),
    "org/tensors": Repo({"model.safetensors": b"x", "config.json": b"{}"}),
    "org/two": Repo({"a-Q8_0.gguf": b"GGUFa", "b-Q8_0.gguf": b"GGUFb"}),
}


@dataclass
class Seen:
    """Everything that was told."""

    begun: list[Fetching] = field(default_factory=list)
    advanced: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    ended: list[bool] = field(default_factory=list)

    def begin(self, fetching: Fetching) -> None:
        self.begun.append(fetching)

    def advance(self, size: int) -> None:
        self.advanced.append(size)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def end(self, whole: bool) -> None:
        self.ended.append(whole)


@dataclass
class Place:
    """The hub's double, and a client with a cache of its own."""

    double: HubDouble
    hub: Hub

    async def fetch(self, name: str, watch: Seen | None = None) -> Path:
        return await asyncio.to_thread(self.hub.fetch, HubName.parse(name), watch)

    async def error(self, name: str) -> HubError:
        with pytest.raises(HubError) as caught:
            await self.fetch(name)
        assert "\n" not in str(caught.value)
        return caught.value

    def sent(self, sha: str = SHA) -> list[tuple[int, int]]:
        return self.double.served.get(sha, [])


@pytest.fixture(autouse=True)
def _without_a_token(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    monkeypatch.setattr(downloading, "WAIT_SECONDS", 0.0)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    async with hub_double(dict(REPOS)) as double:
        yield Place(double, Hub(double.url, tmp_path / "cache"))


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


async def test_a_fresh_download_is_told_of_and_ends_in_the_clients_cache(place: Place) -> None:
    seen = Seen()
    file = await place.fetch("hf:org/one:Q8_0", seen)
    assert file.read_bytes() == MODEL
    assert "models--org--one/snapshots" in file.as_posix()
    assert sum(seen.advanced) == len(MODEL)
    assert len(seen.advanced) > 1, "progress comes in pieces"
    assert seen.ended == [True]
    assert str(seen.begun[0]) == "fetching m-Q8_0.gguf from org/one (100.0 kB, apache-2.0)"


@pytest.mark.parametrize("name", ["hf:org/one:q8_0", "hf:org/many", "hf:org/split"])
async def test_the_second_time_the_hub_is_not_asked(place: Place, name: str) -> None:
    file = await place.fetch(name)
    place.double.requests.clear()
    assert await place.fetch(name) == file
    assert place.double.requests == []


async def test_a_quantization_is_chosen_and_told(place: Place) -> None:
    seen = Seen()
    file = await place.fetch("hf:org/many", seen)
    assert file.name == "m-Q4_K_M.gguf"
    assert str(seen.begun[0]).endswith("mit); Q4_K_M chosen from Q2_K, Q4_K_M, Q8_0")


async def test_another_quantization_in_the_cache_is_taken_only_where_the_hub_is_away(
    place: Place,
) -> None:
    other = await place.fetch("hf:org/many:Q8_0")
    place.double.down = 503
    assert await place.fetch("hf:org/many") == other
    place.double.down = None
    assert (await place.fetch("hf:org/many")).name == "m-Q4_K_M.gguf"


async def test_a_revision_is_kept_apart(place: Place) -> None:
    file = await place.fetch("hf:org/one@v1:Q8_0")
    assert file.read_bytes() == MODEL
    assert place.hub.cached(HubName.parse("hf:org/one@v1:Q8_0")) == file
    assert place.hub.cached(HubName.parse("hf:org/one:Q8_0")) is None


async def test_a_connection_that_breaks_is_gone_on_with_and_no_byte_comes_twice(
    place: Place,
) -> None:
    place.double.cut = [30_000, 20_000]
    seen = Seen()
    file = await place.fetch("hf:org/one:Q8_0", seen)
    assert file.read_bytes() == MODEL
    assert place.sent() == [(0, 30_000), (30_000, 50_000), (50_000, len(MODEL))]
    assert sum(seen.advanced) == len(MODEL)
    assert [note.partition(";")[0] for note in seen.notes] == [
        "the connection broke at 30.0 kB of 100.0 kB",
        "the connection broke at 50.0 kB of 100.0 kB",
    ]


async def test_a_connection_that_breaks_often_and_brings_something_is_not_given_up(
    place: Place,
) -> None:
    place.double.cut = [8_000] * (2 * downloading.ATTEMPTS)
    assert (await place.fetch("hf:org/one:Q8_0")).read_bytes() == MODEL
    assert sum(end - begin for begin, end in place.sent()) == len(MODEL)


async def test_a_download_that_was_given_up_goes_on_in_the_next_run(place: Place) -> None:
    place.double.cut = [40_000] + [0] * (downloading.ATTEMPTS)
    error = await place.error("hf:org/one:Q8_0")
    assert isinstance(error, HubUnreachable)
    assert "broke off" in error.what
    assert error.advice == "Run it again: it goes on at 40.0 kB of 100.0 kB."
    place.double.cut = []
    place.double.served.clear()
    seen = Seen()
    file = await place.fetch("hf:org/one:Q8_0", seen)
    assert file.read_bytes() == MODEL
    assert place.sent() == [(40_000, len(MODEL))]
    assert "going on at 40.0 kB" in str(seen.begun[0])
    assert sum(seen.advanced) == len(MODEL) - 40_000


async def test_a_download_that_is_stopped_goes_on_in_the_next_run(place: Place) -> None:
    seen = Seen()
    with pytest.raises(downloading.Stopped):
        await asyncio.to_thread(
            place.hub.fetch, HubName.parse("hf:org/one:Q8_0"), seen, lambda: bool(seen.advanced)
        )
    here = sum(seen.advanced)
    assert 0 < here < len(MODEL)
    assert seen.ended == [False]
    place.double.served.clear()
    assert (await place.fetch("hf:org/one:Q8_0")).read_bytes() == MODEL
    assert place.sent() == [(here, len(MODEL))]


async def test_a_partial_file_of_other_bytes_is_found_out(place: Place) -> None:
    place.double.cut = [40_000] + [0] * (downloading.ATTEMPTS)
    await place.error("hf:org/one:Q8_0")
    assert place.hub.cache is not None
    [partial] = place.hub.cache.rglob("*.incomplete")
    partial.write_bytes(b"\0" * 40_000)
    place.double.cut = []
    error = await place.error("hf:org/one:Q8_0")
    assert "was damaged by the download" in error.what
    assert (await place.fetch("hf:org/one:Q8_0")).read_bytes() == MODEL


async def test_other_bytes_of_the_right_size_are_found_out(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(url: str, headers: object, partial: Path, size: int, *_: object) -> None:
        partial.write_bytes(b"\0" * size)

    monkeypatch.setattr(fetching, "download", other)
    error = await place.error("hf:org/one:Q8_0")
    assert "was damaged by the download" in error.what
    assert place.hub.cache is not None
    assert not list(place.hub.cache.rglob("*.incomplete"))


async def test_who_waits_for_another_download_can_be_stopped(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloading, "LOCK_SECONDS", 0.05)
    assert place.hub.cache is not None
    lock = place.hub.cache / ".locks" / "models--org--one" / f"{SHA}.lock"
    lock.parent.mkdir(parents=True)
    with FileLock(lock), pytest.raises(downloading.Stopped):
        await asyncio.to_thread(
            place.hub.fetch, HubName.parse("hf:org/one:Q8_0"), Seen(), lambda: True
        )
    assert place.sent() == []
    assert (await place.fetch("hf:org/one:Q8_0")).read_bytes() == MODEL


async def test_a_server_that_ignores_ranges_sends_the_file_anew(place: Place) -> None:
    place.double.cut = [40_000]
    place.double.ignores_ranges = True
    seen = Seen()
    assert (await place.fetch("hf:org/one:Q8_0", seen)).read_bytes() == MODEL
    assert sum(seen.advanced) == len(MODEL)


async def test_all_parts_of_a_split_model_come_and_the_first_is_given(place: Place) -> None:
    seen = Seen()
    file = await place.fetch("hf:org/split:Q4_K_M", seen)
    assert file.name == "m-Q4_K_M-00001-of-00003.gguf"
    there = sorted(each.name for each in file.parent.iterdir())
    assert there == [f"m-Q4_K_M-0000{n}-of-00003.gguf" for n in (1, 2, 3)]
    assert "in 3 files" in str(seen.begun[0])
    assert sum(seen.advanced) == sum(map(len, PARTS.values()))


async def test_a_split_model_without_a_part_is_fetched_again(place: Place) -> None:
    file = await place.fetch("hf:org/split:Q4_K_M")
    last = file.with_name("m-Q4_K_M-00003-of-00003.gguf")
    last.resolve().unlink()
    last.unlink()
    place.double.served.clear()
    assert await place.fetch("hf:org/split:Q4_K_M") == file
    assert last.exists()
    assert len(place.double.served) == 1


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
