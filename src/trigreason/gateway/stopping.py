"""Stop strings of an answer, found across the pieces in which it comes."""

from __future__ import annotations

from collections.abc import Sequence


class StopFilter:
    """Lets an answer through up to the first stop string; ``hit`` once it was found.

    What could be the beginning of one is held back until it is clear. The first is the one that
    is complete first, so that it does not matter in what pieces the answer comes.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self.hit = False
        self._stops = tuple(stops)
        self._held = ""

    def push(self, text: str) -> str:
        """The part of the answer that is certain now."""
        if not self._stops:
            return text
        if self.hit:
            return ""
        text = self._held + text
        found = [(at + len(stop), at) for stop in self._stops if (at := text.find(stop)) >= 0]
        if found:
            self.hit, self._held = True, ""
            return text[: min(found)[1]]
        keep = max(_overlap(text, stop) for stop in self._stops)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def rest(self) -> str:
        """What was held back, once the answer is over."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """How many characters at the end of a text begin a stop string that is not complete."""
    longest = min(len(text), len(stop) - 1)
    return next((size for size in range(longest, 0, -1) if text.endswith(stop[:size])), 0)
