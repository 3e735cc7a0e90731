"""Looks up models in the cache of the hub's client, without a request."""

from __future__ import annotations

from pathlib import Path

from trigreason.engines.hub.choosing import GgufModel, HubFile, models_in
from trigreason.engines.hub.names import HubName


def cached_snapshot(name: HubName, cache: Path | None) -> Path | None:
    """The folder of the revision in the cache; None if the cache has nothing of it."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = snapshot_download(
            name.repo,
            revision=name.revision,
            cache_dir=cache,
            local_files_only=True,
            allow_patterns=[],  # an incomplete snapshot is enough
        )
    except LocalEntryNotFoundError:
        return None
    return Path(folder)


def cached_models(snapshot: Path | None) -> list[GgufModel]:
    """The models that are completely in a folder of the cache."""
    if snapshot is None:
        return []
    files = (file for file in snapshot.rglob("*") if file.is_file())
    return models_in(
        HubFile(file.relative_to(snapshot).as_posix(), file.stat().st_size) for file in files
    )
