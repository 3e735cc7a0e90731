"""One model alone."""

from __future__ import annotations

from dataclasses import dataclass

from trigreason.reasoning.methods.base import Method, Write
from trigreason.reasoning.reading import Reading
from trigreason.reasoning.steps import Author


@dataclass(slots=True)
class Solo(Method):
    """SRM only or LRM only."""

    author: Author

    def open(self) -> Write:
        return Write(self.author)

    def on_step(self, reading: Reading) -> Write:
        return Write(self.author)

    @property
    def authors(self) -> frozenset[Author]:
        return frozenset({self.author})
