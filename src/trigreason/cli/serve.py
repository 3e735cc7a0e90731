"""``trigreason serve``: pairs behind an OpenAI-compatible endpoint."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Annotated

import typer

from trigreason.cli import options
from trigreason.cli.extra import needs
from trigreason.cli.fetching import fetch_models
from trigreason.cli.options import as_wrong_use
from trigreason.configuration import Configuration, planned_pair, read_configuration


def serve(
    *,
    host: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Address to listen on; others need keys."),
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, metavar="PORT", help="0 takes a free one.")
    ] = None,
    pair: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Serve this pair alone: of the configuration, a preset (trigreason models), or "
            "bundled; may be given several times.",
        ),
    ] = None,
    config: options.Config = None,
) -> None:
    """Serve the configured pairs, or the bundled one, behind one OpenAI-compatible endpoint."""
    with needs("gateway"):
        from trigreason.gateway.server import run
        from trigreason.gateway.telemetry import configure_logging
    configuration = read_configuration(config, os.environ)
    if pair:
        configuration = _serving(configuration, tuple(dict.fromkeys(pair)))
    settings = configuration.settings.gateway
    configure_logging(settings.telemetry.log_texts)
    run(
        configuration,
        os.environ,
        host=settings.host if host is None else host,
        port=settings.port if port is None else port,
    )


def _serving(configuration: Configuration, names: tuple[str, ...]) -> Configuration:
    """The configuration with these pairs served instead of its own; fetches their models."""
    with as_wrong_use():
        plans = [planned_pair(configuration, name) for name in names]
    for plan in plans:
        fetch_models(plan)
    settings = configuration.settings
    gateway = settings.gateway.model_copy(update={"pairs": names})
    return replace(configuration, settings=settings.model_copy(update={"gateway": gateway}))
