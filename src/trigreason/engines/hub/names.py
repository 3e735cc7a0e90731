"""Names of models on the hub."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

PREFIX = "hf:"
MAIN = "main"

_PART = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_NAME = re.compile(
    rf"hf:(?P<repo>{_PART}/{_PART})(?:@(?P<revision>[^:@\s]+))?(?::(?P<variant>[^:\s][^:]*))?"
)


_NOT_IN_NAMES = ("--", "..", ".git")
"""No repository's name contains these, and the hub's client refuses them."""


@dataclass(frozen=True, slots=True)
class HubName:
    """A repository, its revision, and optionally a quantization or file (``variant``)."""

    repo: str
    revision: str = MAIN
    variant: str | None = None

    @classmethod
    def parse(cls, text: str | Path) -> HubName:
        """Parse a name. Raises ValueError, which shows the format, if the text is not one."""
        plain = text.as_posix() if isinstance(text, Path) else text
        match = _NAME.fullmatch(plain)
        if match is None or any(part in match["repo"] for part in _NOT_IN_NAMES):
            raise ValueError(
                f"{plain} names no model on the Hugging Face hub; write hf:ORG/REPO, "
                "hf:ORG/REPO:QUANT or hf:ORG/REPO@REVISION:FILE.gguf"
            )
        return cls(match["repo"], match["revision"] or MAIN, match["variant"])

    def __str__(self) -> str:
        revision = f"@{self.revision}" if self.revision != MAIN else ""
        return f"{PREFIX}{self.repo}{revision}" + (f":{self.variant}" if self.variant else "")


def is_hub_name(place: str | Path) -> bool:
    """Whether this is a name on the hub rather than a path."""
    return str(place).startswith(PREFIX)
