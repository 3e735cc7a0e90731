"""The real client of the Hugging Face hub, against a double of the hub."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from filelock import FileLock

from tests.engines.hub.conftest import MODEL, PARTS, SHA, Place, Seen
from trigreason.engines.hub import (
    HubName,
    HubUnreachable,
    downloading,
    fetching,
)


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
