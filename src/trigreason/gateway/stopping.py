"""Stop strings, found across the chunks of a streamed answer."""

from __future__ import annotations

from collections.abc import Sequence


class StopFilter:
    """Passes an answer up to the first stop string; ``hit`` is that string once it was found.

    Text that could begin a stop string is held back until that is decided. The first stop string
    is the one that is complete first, so that the result does not depend on the chunks.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self.hit: str | None = None
        self._stops = tuple(stops)
        self._held = ""

    def push(self, text: str) -> str:
        """Add a chunk; returns the text that can be passed on now."""
        if not self._stops:
            return text
        if self.hit:
            return ""
        text = self._held + text
        hits = [(at + len(stop), at, stop) for stop in self._stops if (at := text.find(stop)) >= 0]
        if hits:
            _, at, self.hit = min(hits)
            self._held = ""
            return text[:at]
        keep = max(_overlap(text, stop) for stop in self._stops)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def rest(self) -> str:
        """The text that was held back; for the end of the answer."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of ``text`` begin ``stop``."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)
