"""Finds a model's file by its name: in the cache of the hub's client, or by a download."""

from __future__ import annotations

import asyncio
import logging
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from trigreason.engines.hub.cached import cached_models, cached_snapshot
from trigreason.engines.hub.choosing import PREFERRED, HubFile, chosen, models_in, quant_of
from trigreason.engines.hub.downloading import (
    DamagedDownload,
    Stopped,
    check,
    download,
    locked,
)
from trigreason.engines.hub.errors import HubError, HubUnreachable, explained
from trigreason.engines.hub.names import HubName
from trigreason.engines.hub.progress import DownloadWatch, Fetching, LoggedWatch, size_in_words

if TYPE_CHECKING:
    from huggingface_hub import ModelInfo

ANSWER_SECONDS = 10.0
"""The time limit for a repository's list of files."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A file of the model to download, and its place in the cache."""

    file: HubFile
    url: str
    etag: str
    blob: Path
    lock: Path

    @property
    def partial(self) -> Path:
        return self.blob.with_name(f"{self.etag}.incomplete")

    @property
    def here(self) -> int:
        """Bytes of it that are downloaded."""
        for file in (self.blob, self.partial):
            if file.exists():
                return file.stat().st_size
        return 0


@dataclass(frozen=True, slots=True)
class Hub:
    """The hub at ``endpoint`` and its cache; None takes the environment's."""

    endpoint: str | None = None
    cache: Path | None = None

    def cached(self, name: HubName) -> Path | None:
        """The model's first file if the whole model is in the cache; sends no request."""
        snapshot = cached_snapshot(name, self.cache)
        models = cached_models(snapshot)
        if snapshot is None or not models:
            return None
        try:
            return snapshot / chosen(models, name, "the cache").files[0].path
        except HubError:
            return None

    def fetch(
        self,
        name: HubName,
        watch: DownloadWatch | None = None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> Path:
        """The model's first file, downloaded if it is not in the cache.

        No request is sent if the cache shows which file the name means. An interrupted download
        (Ctrl-C, ``stopped()``, a broken connection) is resumed the next time.

        Raises:
            HubError: the model cannot be downloaded; the error says why and what to do.
            Stopped: ``stopped()`` became true.
        """
        from huggingface_hub import get_token

        logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
        at_hand = self.cached(name)
        if at_hand is not None and (name.variant is not None or _is_first_choice(at_hand)):
            return at_hand
        try:
            return self._downloaded(name, watch or LoggedWatch(), stopped)
        except (HubError, Stopped) as error:
            if at_hand is not None and isinstance(error, HubUnreachable):
                return at_hand
            raise
        except Exception as error:
            explanation = explained(error, name, self._page(name), has_token=bool(get_token()))
            offline = isinstance(error, ConnectionError)
            if at_hand is not None and (offline or isinstance(explanation, HubUnreachable)):
                return at_hand
            raise explanation from error

    def _downloaded(self, name: HubName, watch: DownloadWatch, stopped: Callable[[], bool]) -> Path:
        from huggingface_hub import HfApi

        info = HfApi(endpoint=self.endpoint).model_info(
            name.repo, revision=name.revision, files_metadata=True, timeout=ANSWER_SECONDS
        )
        listing = info.siblings or ()
        models = models_in(HubFile(file.rfilename, file.size or 0) for file in listing)
        if not models:
            raise _no_gguf(name, [file.rfilename for file in listing])
        model = chosen(models, name, "the repository")
        parts = [self._part(name, file, info.sha) for file in model.files]
        model = replace(model, files=tuple(part.file for part in parts))
        here = sum(part.here for part in parts)
        self._check_room(name, model.size - here)
        quants = () if name.variant else tuple(model.quant or model.name for model in models)
        watch.begin(Fetching(name, model, _licence(info), here, quants))
        whole = False
        try:
            files = [self._fetch_part(name, part, watch, stopped) for part in parts]
            whole = True
        finally:
            watch.end(whole)
        return files[0]

    def _part(self, name: HubName, file: HubFile, commit: str | None) -> _Part:
        from huggingface_hub import get_hf_file_metadata, hf_hub_url
        from huggingface_hub.constants import HF_HUB_CACHE
        from huggingface_hub.file_download import repo_folder_name

        url = hf_hub_url(
            name.repo, file.path, revision=commit or name.revision, endpoint=self.endpoint
        )
        metadata = get_hf_file_metadata(url, endpoint=self.endpoint, timeout=ANSWER_SECONDS)
        if metadata.etag is None or metadata.size is None:
            raise HubError(
                "the hub does not give a file's size and ETag", str(name), "Check HF_ENDPOINT."
            )
        cache = Path(self.cache or HF_HUB_CACHE).expanduser().resolve()
        folder = repo_folder_name(repo_id=name.repo, repo_type="model")
        return _Part(
            HubFile(file.path, metadata.size),
            url,
            metadata.etag,
            cache / folder / "blobs" / metadata.etag,
            cache / ".locks" / folder / f"{metadata.etag}.lock",
        )

    def _fetch_part(
        self, name: HubName, part: _Part, watch: DownloadWatch, stopped: Callable[[], bool]
    ) -> Path:
        """Download the bytes into the cache, and let the hub's client link them there."""
        from huggingface_hub import hf_hub_download
        from huggingface_hub.utils import build_hf_headers

        part.blob.parent.mkdir(parents=True, exist_ok=True)
        part.lock.parent.mkdir(parents=True, exist_ok=True)
        with locked(part.lock, stopped):
            if not part.blob.exists():
                try:
                    headers = build_hf_headers()
                    download(part.url, headers, part.partial, part.file.size, watch, stopped)
                    check(part.partial, part.etag)
                except DamagedDownload as error:
                    what = f"{part.file.path} was damaged by the download"
                    raise HubError(what, str(name), "Run it again; it begins anew.") from error
                except Exception as error:
                    raise self._broken_off(error, name, part) from error
                part.partial.replace(part.blob)
        entered = hf_hub_download(
            name.repo,
            part.file.path,
            revision=name.revision,
            cache_dir=self.cache,
            endpoint=self.endpoint,
        )
        return Path(entered)

    def _broken_off(self, error: Exception, name: HubName, part: _Part) -> Exception:
        """The error for a broken connection, with the place where the next run resumes."""
        import httpx2
        from huggingface_hub.errors import HfHubHTTPError

        if isinstance(error, HfHubHTTPError) or not isinstance(error, httpx2.HTTPError):
            return error
        reason = " ".join(str(error).split()) or type(error).__name__
        here, whole = size_in_words(part.here), size_in_words(part.file.size)
        return HubUnreachable(
            f"the download of {part.file.path} broke off ({reason})",
            str(name),
            f"Run it again: it goes on at {here} of {whole}.",
        )

    def _check_room(self, name: HubName, needed: int) -> None:
        from huggingface_hub.constants import HF_HUB_CACHE

        cache = Path(self.cache or HF_HUB_CACHE).expanduser().resolve()
        folder = next(path for path in (cache, *cache.parents) if path.exists())
        free = shutil.disk_usage(folder).free
        if needed > free:
            raise HubError(
                f"{size_in_words(needed)} are to be fetched and {folder} has "
                f"{size_in_words(free)} free",
                str(name),
                "Make room, or set HF_HOME to a folder on another disk.",
            )

    def _page(self, name: HubName) -> str:
        from huggingface_hub.constants import ENDPOINT

        return f"{self.endpoint or ENDPOINT}/{name.repo}"


async def fetched(name: HubName, watch: DownloadWatch | None = None) -> Path:
    """:meth:`Hub.fetch` in a thread; cancellation stops it and keeps the bytes so far.

    Raises:
        HubError: the model cannot be downloaded.
    """
    stop = threading.Event()
    try:
        return await asyncio.to_thread(Hub().fetch, name, watch, stop.is_set)
    finally:
        stop.set()


def _is_first_choice(file: Path) -> bool:
    """Whether the file has the most preferred quantization, so that no other can be chosen."""
    return quant_of(file.name) == PREFERRED[0]


def _licence(info: ModelInfo) -> str | None:
    card = info.card_data
    return str(card.license) if card is not None and card.license else None


def _no_gguf(name: HubName, files: Sequence[str]) -> HubError:
    visible = [file for file in files if not file.startswith(".")]
    listed = ", ".join(visible[:8]) + (" …" if len(visible) > 8 else "")
    return HubError(
        "the repository has no GGUF model",
        str(name),
        f"It has {listed or 'no files'}; look for {name.repo.rpartition('/')[2]}-GGUF.",
    )
