"""``trigreason simulate``: recorded runs under another deployment."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.progress import track

from trigreason.cli import options
from trigreason.cli.console import print_json, redraws, screen
from trigreason.cli.extra import needs
from trigreason.cli.options import as_wrong_use

if TYPE_CHECKING:
    from trigreason.studies.simulation import Deployment, Server

Requests = Literal["stretch", "step", "both"]
_of_server = partial(typer.Option, rich_help_panel=options.SERVERS)


def simulate(
    logs: options.Logs,
    *,
    deployment: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="edge-cloud-deepseek, two-gpus, laptop, or a TOML file (docs/simulation.md).",
        ),
    ] = "edge-cloud-deepseek",
    requests: Annotated[
        Requests | None,
        typer.Option(
            help="One request per stretch or per step, or both side by side. "
            "Default: as the deployment says."
        ),
    ] = None,
    as_json: options.Json = False,
    srm_rate: Annotated[
        float | None,
        _of_server(metavar="TOKENS/S", help="Speed of the SRM's writing."),
    ] = None,
    lrm_rate: Annotated[
        float | None,
        _of_server(metavar="TOKENS/S", help="Speed of the LRM's writing."),
    ] = None,
    round_trip: Annotated[
        float | None,
        _of_server(metavar="SECONDS", help="To the LRM's server and back."),
    ] = None,
    first_token: Annotated[
        float | None,
        _of_server(
            metavar="SECONDS",
            help="Until the LRM's first token, besides the round trip and the reading.",
        ),
    ] = None,
    warm_seconds: options.WarmSeconds = None,
    warm_tokens: options.WarmTokens = None,
    hedge: options.Hedge = None,
) -> None:
    """Estimate the time and cost of recorded runs on another deployment, with no model.

    The steps stay as they were written; their seconds, requests and USD are computed anew.
    """
    with needs("evaluation"):
        from trigreason.cli.simulate_tables import shown, told
        from trigreason.evaluation.recorded import read_runs
        from trigreason.studies.simulation import read_deployment
        from trigreason.studies.simulation.arms import simulate_arms

    with as_wrong_use():
        chosen = read_deployment(deployment)
        chosen = replace(
            chosen,
            srm=_changed(chosen.srm, token_rate=srm_rate),
            lrm=_changed(
                chosen.lrm, token_rate=lrm_rate, round_trip=round_trip, first_token=first_token
            ),
            hiding=options.changed(
                chosen.hiding, warm_seconds=warm_seconds, warm_tokens=warm_tokens, hedge=hedge
            ),
        )
    runs = list(read_runs(logs))
    if not runs:
        raise ValueError("there are no runs in these logs; give others")
    console = Console(stderr=True)
    told_of = track(
        runs, "Simulating", console=console, transient=True, disable=not redraws(console)
    )
    arms = simulate_arms(told_of, _ways(chosen, requests))
    if as_json:
        print_json(told(deployment, chosen, arms))
    else:
        screen().print(*shown(deployment, chosen, arms), sep="\n")


def _changed(server: Server, **flags: float | None) -> Server:
    given = {name: value for name, value in flags.items() if value is not None}
    return replace(server, **given)  # type: ignore[arg-type]  # only the server's numbers


def _ways(chosen: Deployment, requests: Requests | None) -> list[Deployment]:
    """The deployment with one request per step, with one per stretch, or both."""
    if requests is None:
        return [chosen]
    wanted = {"stretch": [False], "step": [True], "both": [True, False]}[requests]
    return [replace(chosen, request_per_step=each) for each in wanted]
