"""What is in the cache of the hub's client, without asking the hub."""

from __future__ import annotations

from pathlib import Path

from trigreason.engines.hub.choosing import GgufModel, HubFile, models_in
from trigreason.engines.hub.names import HubName


def cached_snapshot(name: HubName, cache: Path | None) -> Path | None:
    """The folder of the revision in the cache; None where nothing of it is there."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = snapshot_download(
            name.repo,
            revision=name.revision,
            cache_dir=cache,
            local_files_only=True,
            allow_patterns=[],  # whatever of it is there
        )
    except LocalEntryNotFoundError:
        return None
    return Path(folder)


def cached_models(snapshot: Path | None) -> list[GgufModel]:
    """The models that are wholly in a folder of the cache."""
    if snapshot is None:
        return []
    files = (each for each in snapshot.rglob("*") if each.is_file())
    return models_in(
        HubFile(each.relative_to(snapshot).as_posix(), each.stat().st_size) for each in files
    )
