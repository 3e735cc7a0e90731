"""What is told while a model is fetched."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Protocol

from rich.filesize import decimal

from trigreason.engines.hub.choosing import GgufModel
from trigreason.engines.hub.names import HubName

_logger = logging.getLogger("trigreason.hub")


def size_in_words(size: int) -> str:
    """Bytes as the hub shows them, in powers of 1000."""
    return decimal(size)


@dataclass(frozen=True, slots=True)
class Fetching:
    """A download that is about to begin; ``here`` bytes of it are on this machine already.

    ``quants`` are those to choose from, where the name leaves the choice.
    """

    name: HubName
    model: GgufModel
    licence: str | None
    here: int = 0
    quants: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = f" in {len(self.model.files)} files" if len(self.model.files) > 1 else ""
        facts = f"{size_in_words(self.model.size)}{parts}, {self.licence or 'licence not told'}"
        told = f"fetching {self.model.name} from {self.name.repo} ({facts})"
        if self.here:
            told += f", going on at {size_in_words(self.here)}"
        if len(self.quants) > 1:
            told += f"; {self.model.quant} chosen from {', '.join(self.quants)}"
        return told


class DownloadWatch(Protocol):
    """Sees a download; called from the thread that downloads."""

    def begin(self, fetching: Fetching) -> None:
        """It begins."""

    def advance(self, size: int) -> None:
        """So many bytes more are here; fewer where what was here was of no use."""

    def note(self, text: str) -> None:
        """Something is worth a line, such as a connection that broke."""

    def end(self, whole: bool) -> None:
        """It ends; ``whole`` says whether all of it is here."""


class LoggedWatch:
    """Writes a line at the beginning and one at the end into the log ``trigreason.hub``."""

    def begin(self, fetching: Fetching) -> None:
        self._name = fetching.model.name
        _logger.info("%s", fetching)

    def advance(self, size: int) -> None:
        pass

    def note(self, text: str) -> None:
        _logger.warning("%s", text)

    def end(self, whole: bool) -> None:
        if whole:
            _logger.info("%s is here", self._name)
