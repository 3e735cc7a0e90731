"""What a model on the hub is called here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PREFIX = "hf:"
MAIN = "main"

_PART = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_NAME = re.compile(
    rf"hf:(?P<repo>{_PART}/{_PART})(?:@(?P<revision>[^:@\s]+))?(?::(?P<wanted>[^:\s][^:]*))?"
)


_NOT_IN_NAMES = ("--", "..", ".git")
"""The hub has no repository with these in its name, and its client refuses them."""


@dataclass(frozen=True, slots=True)
class HubName:
    """A repository, a revision of it, and the quantization or file that is wanted, if any is."""

    repo: str
    revision: str = MAIN
    wanted: str | None = None

    @classmethod
    def parse(cls, text: str | Path) -> HubName:
        """Raises ValueError where the text is no such name; it says how one is written."""
        plain = text.as_posix() if isinstance(text, Path) else text
        match = _NAME.fullmatch(plain)
        if match is None or any(part in match["repo"] for part in _NOT_IN_NAMES):
            raise ValueError(
                f"{plain} names no model on the Hugging Face hub; write hf:ORG/REPO, "
                "hf:ORG/REPO:QUANT or hf:ORG/REPO@REVISION:FILE.gguf"
            )
        return cls(match["repo"], match["revision"] or MAIN, match["wanted"])

    def __str__(self) -> str:
        revision = f"@{self.revision}" if self.revision != MAIN else ""
        return f"{PREFIX}{self.repo}{revision}" + (f":{self.wanted}" if self.wanted else "")


def is_hub_name(place: str | Path) -> bool:
    """Whether this is meant as a name on the hub, rather than as a path."""
    return str(place).startswith(PREFIX)
