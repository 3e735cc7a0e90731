"""Downloads one file so that an interrupted download can be resumed.

The hub's client deletes an incomplete file when a download ends early (versions 2.0 to 2.4 do).
So this module streams the bytes, with the client's session and headers, into a file that stays:
the next attempt resumes at its end.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from trigreason.engines.hub.progress import DownloadWatch, size_in_words

ATTEMPTS = 5
"""The download fails after so many attempts in a row without progress."""

WAIT_SECONDS = 1.0
"""The back-off before the second attempt; it doubles with each further one."""

LOCK_SECONDS = 0.5
"""How often ``stopped()`` is checked while another program downloads the file."""

SILENCE_SECONDS = 30.0
"""The read timeout of a connection."""


class DamagedDownload(Exception):
    """The downloaded file does not have the SHA-256 that the hub gives."""


class Stopped(Exception):
    """The download was stopped; the bytes so far are kept."""


@contextmanager
def locked(file: Path, stopped: Callable[[], bool]) -> Iterator[None]:
    """Wait for the hub client's lock on a file, and hold it.

    Raises:
        Stopped: ``stopped()`` became true while waiting.
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
    """Download the rest of ``partial``, up to ``size`` bytes.

    Raises:
        HTTPError: (of ``httpx2``) the connection broke too often, or the server refused.
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
    fields = {**headers, "Accept-Encoding": "identity"}
    if here:
        fields["Range"] = f"bytes={here}-"
    with get_session().stream("GET", url, headers=fields, timeout=SILENCE_SECONDS) as response:
        hf_raise_for_status(response)
        if here and response.status_code != 206:  # the server ignored the range
            watch.advance(-here)
            partial.unlink()
        with partial.open("ab") as file:
            for chunk in response.iter_bytes():
                file.write(chunk)
                watch.advance(len(chunk))
                if stopped():
                    raise Stopped


def check(file: Path, etag: str) -> None:
    """Compare a file with its ETag, if that is a SHA-256.

    Raises:
        DamagedDownload: they differ; the file has been deleted.
    """
    if len(etag) != hashlib.sha256().digest_size * 2:
        return
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    if digest != etag:
        file.unlink()
        raise DamagedDownload


def _length(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
