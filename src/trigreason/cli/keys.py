"""``trigreason keys``: who may use the gateway, and how much."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich import box
from rich.table import Table

from trigreason.cli import options
from trigreason.cli.console import print_json, printable, screen
from trigreason.cli.extra import needs
from trigreason.cli.words import counted
from trigreason.configuration import Configuration, nearest, planned_pair, read_configuration

if TYPE_CHECKING:
    from trigreason.gateway.keys import KeyLimits
    from trigreason.gateway.storage import KeyRow, Storage

MOST = 10**9
"""The highest value of any limit; more would be as good as no limit."""

Result = TypeVar("Result")

keys_commands = typer.Typer()


@keys_commands.callback(invoke_without_command=True)
def keys(context: typer.Context) -> None:
    """Make, list and revoke keys for the gateway."""
    if context.invoked_subcommand is None:
        print(context.get_help())


@keys_commands.command()
def create(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who or what it is for.")],
    *,
    pair: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="A pair that it may use; may be given several times. Default: all.",
        ),
    ] = None,
    requests_per_minute: Annotated[
        int | None, typer.Option(metavar="N", help="Most requests in a minute.")
    ] = None,
    tokens_per_minute: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Most tokens in a minute: of prompts, reasoning and answers together.",
        ),
    ] = None,
    usd_per_day: Annotated[
        float | None, typer.Option(metavar="X", help="Most USD in a day (UTC).")
    ] = None,
    usd_per_month: Annotated[
        float | None, typer.Option(metavar="X", help="Most USD in a month (UTC).")
    ] = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Make a key and print it, this once."""
    with needs("gateway"):
        from trigreason.gateway.keys import KeyLimits
    limits = KeyLimits(**options.given(KeyLimits, context))
    configuration = _read(config)
    _check_key(configuration, pair, limits)
    made = _with_storage(
        configuration, lambda storage: storage.create_key(name, pairs=pair, limits=limits)
    )
    if as_json:
        values = {"id": made.id, "name": name, "key": made.text, "pairs": pair}
        print_json(values | {"limits": asdict(limits)})
        return
    print(made.text)
    print(
        f"This is the key of {name} (id {made.id}). It is shown only now: keep it where secrets "
        "are kept. Clients send it as their API key.",
        file=sys.stderr,
    )


@keys_commands.command("list")
def list_keys(*, config: options.Config = None, as_json: options.Json = False) -> None:
    """List all keys, with their limits and what they used in the last 30 days."""
    rows = _with_storage(_read(config), lambda storage: storage.keys())
    if as_json:
        print_json({"keys": [asdict(row) for row in rows]})
    elif rows:
        screen().print(_table(rows))
    else:
        print("There are no keys; make one with: trigreason keys create NAME")


@keys_commands.command()
def revoke(
    id_or_name: Annotated[
        str, typer.Argument(metavar="ID_OR_NAME", help="As trigreason keys list tells them.")
    ],
    *,
    config: options.Config = None,
) -> None:
    """End a key. Gateways that run stop taking it within seconds."""

    async def work(storage: Storage) -> None:
        if await storage.revoke_key(id_or_name):
            return
        names = [row.name for row in await storage.keys() if row.revoked_at is None]
        raise ValueError(f"no key in force is called {id_or_name!r}; {nearest(id_or_name, names)}")

    _with_storage(_read(config), work)
    print(f"{printable(id_or_name)} is revoked.")


def _check_key(
    configuration: Configuration, pairs: Sequence[str] | None, limits: KeyLimits
) -> None:
    """Raises WrongUse for an invalid limit or pair; prints what limits in USD do not count."""
    for limit, most in asdict(limits).items():
        if most is not None and not 0 < most <= MOST:
            flag = f"--{limit.replace('_', '-')}"
            raise options.WrongUse(f"{flag} must be above 0 and at most {MOST:,}")
    passed = configuration.passed_engines
    for pair in pairs or ():
        if pair not in configuration.pair_names and pair not in passed:
            near = nearest(pair, configuration.pair_names)
            raise options.WrongUse(f"no pair is called {pair!r}; {near}")
    if limits.usd_per_day is not None or limits.usd_per_month is not None:
        for uncounted in _uncounted(configuration, pairs):
            print(uncounted, file=sys.stderr)


def _uncounted(configuration: Configuration, pairs: Sequence[str] | None) -> Iterator[str]:
    """Lines on models of a key's pairs that limits in USD do not count, for lack of a price."""
    for name in pairs or (*configuration.served_pairs, *configuration.passed_engines):
        if name in configuration.passed_engines:
            if configuration.settings.engines[name].prices is None:
                yield f"The engine {printable(name)} has no prices: its use counts as 0 USD."
            continue
        engines = planned_pair(configuration, name).engines
        free = [role.name for role, each in engines.items() if each.settings.prices is None]
        shown = printable(name)
        if len(free) == len(engines):
            yield f"No model of the pair {shown} has prices: limits in USD do not bind it."
        elif free:
            yield f"The {free[0]} of the pair {shown} has no prices: its use counts as 0 USD."


def _read(config: Path | None) -> Configuration:
    return read_configuration(config, os.environ)


def _with_storage(
    configuration: Configuration, work: Callable[[Storage], Awaitable[Result]]
) -> Result:
    """The result of ``work`` on the gateway's database."""
    with needs("gateway"):
        from trigreason.gateway.storage import Storage, database_place

    settings = configuration.settings.gateway

    async def run() -> Result:
        place = database_place(settings, os.environ)
        storage = await Storage.open(place, traces_days=settings.traces.days)
        try:
            return await work(storage)
        finally:
            await storage.close()

    return asyncio.run(run())


def _table(rows: Sequence[KeyRow]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    table.add_column("id", no_wrap=True)
    table.add_column("name", overflow="fold")
    table.add_column("pairs", overflow="fold")
    table.add_column("limits", no_wrap=True)
    table.add_column("since", no_wrap=True)
    table.add_column("30 days", justify="right", no_wrap=True)
    for row in rows:
        state = _day(row.created)
        if row.revoked_at is not None:
            state += f"\nrevoked\n{_day(row.revoked_at)}"
        table.add_row(
            row.id,
            printable(row.name),
            "all" if row.pairs is None else "\n".join(map(printable, row.pairs)),
            "\n".join(_limits(row.limits)) or "none",
            state,
            f"{counted(row.requests, 'request')}\n{row.usd:,.4f} USD",
            style="dim" if row.revoked_at is not None else None,
        )
    return table


def _limits(limits: KeyLimits) -> list[str]:
    formats: list[tuple[Any, str]] = [
        (limits.requests_per_minute, "{:,} requests/min"),
        (limits.tokens_per_minute, "{:,} tokens/min"),
        (limits.usd_per_day, "{:,g} USD/day"),
        (limits.usd_per_month, "{:,g} USD/month"),
    ]
    return [text.format(value) for value, text in formats if value is not None]


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
