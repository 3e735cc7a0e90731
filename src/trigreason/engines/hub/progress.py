"""Reports the progress of a download."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Protocol

from rich.filesize import decimal

from trigreason.engines.hub.choosing import GgufModel
from trigreason.engines.hub.names import HubName

_logger = logging.getLogger("trigreason.hub")


def size_in_words(size: int) -> str:
    """A size in powers of 1000, as the hub shows it."""
    return decimal(size)


@dataclass(frozen=True, slots=True)
class Fetching:
    """A download that is about to begin; ``here`` of its bytes are already on this machine.

    ``quants`` are those that one was chosen from, if the name has none.
    """

    name: HubName
    model: GgufModel
    licence: str | None
    here: int = 0
    quants: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = f" in {len(self.model.files)} files" if len(self.model.files) > 1 else ""
        facts = f"{size_in_words(self.model.size)}{parts}, {self.licence or 'licence unknown'}"
        line = f"fetching {self.model.name} from {self.name.repo} ({facts})"
        if self.here:
            line += f", going on at {size_in_words(self.here)}"
        if len(self.quants) > 1:
            line += f"; {self.model.quant} chosen from {', '.join(self.quants)}"
        return line


class DownloadWatch(Protocol):
    """Observes a download; called from the downloading thread."""

    def begin(self, fetching: Fetching) -> None:
        """The download begins."""

    def advance(self, size: int) -> None:
        """``size`` more bytes have arrived; negative if earlier bytes were discarded."""

    def note(self, text: str) -> None:
        """Show a line, such as one about a broken connection."""

    def end(self, whole: bool) -> None:
        """The download ends; ``whole`` says whether it is complete."""


class LoggedWatch:
    """Logs one line at the beginning and one at the end, to ``trigreason.hub``."""

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
