"""``trigreason serve``: pairs behind an OpenAI-compatible endpoint."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from trigreason.cli import options
from trigreason.cli.extra import needs
from trigreason.configuration import read_configuration


def serve(
    *,
    host: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Address to listen on; others need keys."),
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, metavar="PORT", help="0 takes a free one.")
    ] = None,
    config: options.Config = None,
) -> None:
    """Serve the configured pairs, or the bundled one, behind one OpenAI-compatible endpoint."""
    with needs("gateway"):
        from trigreason.gateway.server import run
        from trigreason.gateway.telemetry import configure_logging
    configuration = read_configuration(config, os.environ)
    settings = configuration.settings.gateway
    configure_logging(settings.telemetry.log_texts)
    run(
        configuration,
        os.environ,
        host=settings.host if host is None else host,
        port=settings.port if port is None else port,
    )
