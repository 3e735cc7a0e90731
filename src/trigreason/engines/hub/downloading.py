"""One file, downloaded so that nothing is fetched twice.

The hub's own client throws away what it has of a file when a download ends early (versions 2.0
to 2.4 do). So the bytes are streamed here, with the client's session and headers, into a file
that stays: an interrupted program goes on where it was.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from trigreason.engines.hub.watching import DownloadWatch, size_in_words

ATTEMPTS = 5
"""Attempts in a row that bring no byte; then the download is given up."""

WAIT_SECONDS = 1.0
"""Before the second attempt; doubles with each."""

LOCK_SECONDS = 0.5
"""Who waits for another program's download looks so often whether to stop."""

SILENCE_SECONDS = 30.0
"""The longest that a connection may bring nothing."""


class DamagedDownload(Exception):
    """All bytes are here, and they are not those that the hub tells of."""


class Stopped(Exception):
    """The download was told to stop; what is here stays."""


@contextmanager
def locked(file: Path, stopped: Callable[[], bool]) -> Iterator[None]:
    """Hold the lock that the hub's client has for a file, once no other program does.

    Raises:
        Stopped: ``stopped()`` became true before.
    """
    from filelock import Timeout
    from huggingface_hub.utils import WeakFileLock

    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(WeakFileLock(file, timeout=LOCK_SECONDS))
                break
            except Timeout:
                if stopped():
                    raise Stopped from None
        yield


def download(
    url: str,
    headers: dict[str, str],
    partial: Path,
    size: int,
    watch: DownloadWatch,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Make ``partial`` ``size`` bytes long, from however much of it is there.

    Raises:
        HTTPError: of ``httpx2``; the connection broke too often, or the server refuses.
        Stopped: ``stopped()`` became true.
    """
    import httpx2

    failures = 0
    while (before := _length(partial)) < size:
        try:
            _stream(url, headers, partial, watch, stopped)
            broken: Exception | None = None
        except httpx2.TransportError as error:
            broken = error
        here = _length(partial)
        if here >= size:
            break
        failures = failures + 1 if here == before else 1
        if failures >= ATTEMPTS:
            raise broken or httpx2.RemoteProtocolError("the server ended the file early")
        watch.note(
            f"the connection broke at {size_in_words(here)} of {size_in_words(size)}; going on"
        )
        time.sleep(WAIT_SECONDS * 2 ** (failures - 1))


def _stream(
    url: str,
    headers: dict[str, str],
    partial: Path,
    watch: DownloadWatch,
    stopped: Callable[[], bool],
) -> None:
    from huggingface_hub import get_session, hf_raise_for_status

    here = _length(partial)
    asked = {**headers, "Accept-Encoding": "identity"}
    if here:
        asked["Range"] = f"bytes={here}-"
    with get_session().stream("GET", url, headers=asked, timeout=SILENCE_SECONDS) as response:
        hf_raise_for_status(response)
        if here and response.status_code != 206:  # the range was not looked at
            watch.advance(-here)
            partial.unlink()
        with partial.open("ab") as file:
            for chunk in response.iter_bytes():
                file.write(chunk)
                watch.advance(len(chunk))
                if stopped():
                    raise Stopped


def check(file: Path, etag: str) -> None:
    """Compare a file with the SHA-256 that the hub names it by, where it does.

    Raises:
        DamagedDownload: it is another one. The file is then gone.
    """
    if len(etag) != hashlib.sha256().digest_size * 2:
        return
    with file.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != etag:
        file.unlink()
        raise DamagedDownload


def _length(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
