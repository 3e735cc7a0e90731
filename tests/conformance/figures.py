"""What the suite measures on the way, for the table at its end."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Figures:
    """Lines of a table: what was measured, on which server, and what came out."""

    rows: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, what: str, where: str, value: str) -> None:
        self.rows.append((what, where, value))

    def table(self) -> list[str]:
        widths = [max(len(row[column]) for row in self.rows) for column in range(2)]
        return [
            f"{what:<{widths[0]}}  {where:<{widths[1]}}  {value}"
            for what, where, value in self.rows
        ]
