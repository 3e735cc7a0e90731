"""Flags for how models are asked: again after a failure, or ahead of their turn."""

from __future__ import annotations

from typing import Annotated

import typer

from trigreason.failure import FailurePolicy

_PANEL = "Servers"

Retries = Annotated[
    int | None,
    typer.Option(
        metavar="ATTEMPTS",
        help="A request that fails is tried again so many times in a row. "
        f"Default: {FailurePolicy().retries}.",
        rich_help_panel=_PANEL,
    ),
]
WarmSeconds = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        help="While the SRM writes, the LRM reads along at most every so many seconds.",
        rich_help_panel=_PANEL,
    ),
]
WarmTokens = Annotated[
    int | None,
    typer.Option(
        metavar="TOKENS",
        help="The same, at most every so many tokens.",
        rich_help_panel=_PANEL,
    ),
]
Hedge = Annotated[
    bool | None,
    typer.Option(
        "--hedge/--no-hedge",
        help="Let the LRM begin to rewrite an SRM step that the offload is likely to reject. "
        "Default: it waits.",
        rich_help_panel=_PANEL,
    ),
]
