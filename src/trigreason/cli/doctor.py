"""``trigreason doctor``: what an endpoint can do, found out by asking it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

import typer
from rich.console import Console

from trigreason.cli import options
from trigreason.cli.console import print_json, printable, redraws, screen
from trigreason.cli.fetching import fetch_model
from trigreason.cli.findings import show_report
from trigreason.cli.options import WrongUse
from trigreason.configuration import (
    Configuration,
    PlannedEngine,
    engine_at,
    planned_engine,
    read_configuration,
    with_thinking,
)
from trigreason.engines.base import Engine, EngineError
from trigreason.engines.connect import MAKERS, as_file, connect, is_url
from trigreason.engines.embedded import CONTEXT_TOKENS, check_gguf, load
from trigreason.engines.http import HttpEngine, Timeouts, key_headers
from trigreason.engines.probing import (
    SILENCE_SECONDS,
    Examination,
    Report,
    ServerPages,
    State,
    unopened,
    verdict,
)
from trigreason.reasoning import Author

PAGE_SECONDS = 5.0
"""The longest wait for a server to identify itself."""

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Patient:
    """An engine to be examined, and the roles in a pair that it is meant for."""

    name: str
    engine: PlannedEngine
    roles: tuple[Author, ...]

    def is_fit(self, report: Report) -> bool:
        return all(verdict(report, role).state is State.YES for role in self.roles)


def doctor(
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="MODEL",
            help="URL, MODEL@URL, GGUF file, hf:ORG/REPO, or an engine of the configuration; "
            "without it, every engine of the configuration.",
        ),
    ] = None,
    *,
    role: Annotated[
        Literal["srm", "lrm"] | None,
        typer.Option(help="The role that it must be fit for. Default: as its pairs say, else lrm."),
    ] = None,
    api_key_env: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The environment variable that holds the server's key."),
    ] = None,
    dialect: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The dialect of its API. Default: found out by asking."),
    ] = None,
    silence: Annotated[
        float,
        typer.Option(min=1, metavar="SECONDS", help="Longest wait for the next token."),
    ] = SILENCE_SECONDS,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Ask an endpoint what it can do, with a dozen small requests, and say what to change.

    Exit code 0 if it is fit for its role: --role, or else that in its pairs, or else lrm. Else 1.
    """
    configuration = read_configuration(config, os.environ)
    patients = _patients(configuration, model, role, api_key_env, dialect)
    for patient in patients:
        fetch_model(patient.engine, quiet=as_json)
    reports = asyncio.run(examine_all(patients, None if as_json else screen(), silence))
    if as_json:
        print_json({"schema": SCHEMA, "endpoints": [_as_json(*each) for each in reports]})
    if not all(patient.is_fit(report) for patient, report in reports):
        raise typer.Exit(1)


def _patients(
    configuration: Configuration,
    model: str | None,
    role: str | None,
    api_key_env: str | None,
    dialect: str | None,
) -> list[Patient]:
    """The engines to examine. Raises WrongUse where there are none, or flags contradict them."""
    engines = configuration.settings.engines
    roles = (Author(role),) if role else ()
    if model is not None and model not in engines:
        return [named_engine(model, roles, api_key_env, dialect)]
    if api_key_env or dialect:
        raise WrongUse("the configuration says how its engines are spoken to; change it there")
    names = [model] if model is not None else list(engines)
    if not names:
        raise WrongUse("name what to examine: a URL, MODEL@URL or a GGUF file")
    return [
        Patient(name, planned_engine(configuration, name), roles or _roles(configuration, name))
        for name in names
    ]


def _roles(configuration: Configuration, engine: str) -> tuple[Author, ...]:
    """The roles that pairs of the configuration give an engine; the LRM if none uses it."""
    pairs = configuration.settings.pairs.values()
    roles = {
        Author.SRM: any(pair.srm == engine for pair in pairs),
        Author.LRM: any(pair.lrm == engine for pair in pairs),
    }
    return tuple(author for author, used in roles.items() if used) or (Author.LRM,)


def named_engine(
    model: str,
    roles: tuple[Author, ...] = (),
    api_key_env: str | None = None,
    dialect: str | None = None,
) -> Patient:
    """The engine at a URL, MODEL@URL or a file.

    Raises:
        WrongUse: there is no such dialect.
        ConfigurationError: the URL or the variable's name is invalid.
        NotAModel: the file is no model.
    """
    if dialect is not None and dialect not in MAKERS:
        raise WrongUse(f"there is no dialect {dialect!r}; there are {', '.join(MAKERS)}")
    given = {"api_key_env": api_key_env, "dialect": dialect}
    engine = engine_at(model, "doctor", **{key: value for key, value in given.items() if value})
    if not is_url(model) and engine.hub_name is None:
        check_gguf(as_file(model))
    return Patient(model, engine, roles or (Author.LRM,))


async def examine_all(
    patients: list[Patient], console: Console | None, silence: float = SILENCE_SECONDS
) -> list[tuple[Patient, Report]]:
    """Examine one engine after the other, so that none slows another; show it on ``console``."""
    reports: list[tuple[Patient, Report]] = []
    for patient in patients:
        with _progress(console, patient.name) as tell:
            report = await _examine(patient, silence, tell)
        reports.append((patient, report))
        if console is not None:
            if len(reports) > 1:
                console.print()
            show_report(console, report, patient.roles)
    return reports


async def _examine(patient: Patient, silence: float, tell: Callable[[str], None]) -> Report:
    planned = patient.engine
    key = planned.api_key(os.environ)
    url = planned.settings.url
    tell("whether it is there")
    try:
        engine = await _open(planned, key, silence)
    except EngineError as error:
        if url is None:
            return await unopened(patient.name, error, None)
        async with _pages(url, key, silence) as pages:
            return await unopened(patient.name, error, pages)
    try:
        assert isinstance(engine, HttpEngine)
        async with _pages(engine.url, key, silence) as pages:
            return await Examination(
                engine, patient.name, pages, silence_seconds=silence, tell=tell
            ).run()
    finally:
        await engine.close()


async def _open(planned: PlannedEngine, key: str | None, silence: float) -> Engine:
    planned = await planned.with_file()
    settings = planned.settings
    template = planned.template()
    if settings.file is not None:
        engine = await load(
            settings.file,
            context_tokens=settings.context_tokens or CONTEXT_TOKENS,
            options=settings.llama_cpp,
            draft=planned.draft_file,
        )
        if template is not None:
            engine.template, engine.tags = template, template.tags
        return with_thinking(engine, settings)
    place = f"{settings.model}@{settings.url}" if settings.model else str(settings.url)
    patience = min(settings.timeouts.connect, PAGE_SECONDS, silence)
    timeouts = Timeouts(connect=patience, read=2 * silence)
    connected = await connect(
        place, api_key=key, dialect=settings.dialect, template=template, timeouts=timeouts
    )
    return with_thinking(connected, settings)


def _pages(url: str, key: str | None, silence: float) -> ServerPages:
    root = url.rstrip("/").removesuffix("/v1")
    return ServerPages(root, key_headers(key), min(PAGE_SECONDS, silence))


@contextmanager
def _progress(console: Console | None, name: str) -> Iterator[Callable[[str], None]]:
    """Shows what is being asked, if the console can take the line back."""
    if console is None or not redraws(console):
        yield lambda _: None
        return
    place = printable(name)
    with console.status(f"{place} …") as status:
        yield lambda step: status.update(f"{place}: {step} …")


def _as_json(patient: Patient, report: Report) -> dict[str, Any]:
    roles = {role: verdict(report, role) for role in Author}
    return {
        "name": patient.name,
        **report.as_json(),
        "roles": {role.value: asdict(each) for role, each in roles.items()},
        "fit_for": [role.value for role in patient.roles],
        "fit": patient.is_fit(report),
    }
