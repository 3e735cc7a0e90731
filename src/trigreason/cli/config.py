"""``trigreason config``: checks and shows a configuration."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

import typer

from trigreason.cli import options
from trigreason.cli.console import print_json
from trigreason.cli.words import counted, settings
from trigreason.configuration import (
    BUNDLED,
    Configuration,
    ConfigurationError,
    ConfigurationProblem,
    PlannedPair,
    effective_values,
    planned_engine,
    planned_pair,
    read_configuration,
    usual_files,
)

config_commands = typer.Typer()

File = Annotated[
    Path | None,
    typer.Argument(metavar="FILE", help="The configuration; else the one that solve would find."),
]


@config_commands.callback(invoke_without_command=True)
def config(context: typer.Context) -> None:
    """Check, show, or begin a configuration (trigreason.toml)."""
    if context.invoked_subcommand is None:
        print(context.get_help())


@config_commands.command()
def check(
    file: File = None, *, config: options.Config = None, as_json: options.Json = False
) -> None:
    """List everything that is wrong with a configuration, or else its pairs."""
    file = _one_of(file, config)
    configuration: Configuration | None = None
    try:
        configuration = read_configuration(file, os.environ)
        problems = list(_missing(configuration))
    except ConfigurationError as error:
        problems = list(error.problems)
    if as_json:
        print_json(_as_json(configuration, problems))
    elif problems:
        print(*problems, sep="\n")
    else:
        assert configuration is not None, "what could not be read is a problem"
        print("\n".join(_in_words(configuration)))
    if problems:
        raise typer.Exit(1)


@config_commands.command()
def show(file: File = None, *, config: options.Config = None) -> None:
    """Print every value in effect, and where it comes from."""
    file = _one_of(file, config)
    for key, value, place in effective_values(read_configuration(file, os.environ)):
        print(f"{key} = {value}  # {place}")


@config_commands.command()
def example() -> None:
    """Print a configuration to begin with."""
    print(files("trigreason.configuration").joinpath("example.toml").read_text("utf-8"), end="")


def _one_of(file: Path | None, config: Path | None) -> Path | None:
    """The file, which may be named with or without ``--config`` as in other commands."""
    if file is not None and config is not None:
        raise options.WrongUse("name one configuration, as FILE or with --config")
    return file or config


def _missing(configuration: Configuration) -> Iterator[ConfigurationProblem]:
    """Problems of this machine: keys, files and templates that are missing."""
    for name in configuration.settings.engines:
        yield from planned_engine(configuration, name).problems(os.environ)
    for pair in _pairs(configuration):
        try:
            if pair.scorer is not None:
                pair.scorer.api_key(os.environ)
        except ConfigurationError as error:
            yield from error.problems


def _in_words(configuration: Configuration) -> Iterator[str]:
    if configuration.file is None:
        places = ", ".join(map(str, usual_files(os.environ)))
        yield f"There is no configuration file (looked for {places})."
    else:
        engines = counted(len(configuration.settings.engines), "engine")
        yield f"{configuration.file} is fine: {engines}."
    for pair in _pairs(configuration):
        default = " (default)" if pair.name == configuration.settings.default_pair else ""
        yield f"pair {pair.name}{default}"
        for author, engine in pair.engines.items():
            yield f"  {author.upper()} {engine}"
        if pair.scorer is not None:
            yield f"  scorer {pair.scorer}"
        yield f"  {settings('trigreason', pair.settings.thresholds)}"


def _pairs(configuration: Configuration) -> list[PlannedPair]:
    names = (BUNDLED, *configuration.settings.pairs)
    return [planned_pair(configuration, name) for name in names]


def _as_json(
    configuration: Configuration | None, problems: list[ConfigurationProblem]
) -> dict[str, Any]:
    values: dict[str, Any] = {"problems": [problem.to_json() for problem in problems]}
    if configuration is None:
        return values
    return {
        **values,
        "file": str(configuration.file) if configuration.file else None,
        "default_pair": configuration.settings.default_pair,
        "pairs": {
            pair.name: {
                **{str(author): str(engine) for author, engine in pair.engines.items()},
                **({"scorer": str(pair.scorer)} if pair.scorer else {}),
                "thresholds": pair.settings.thresholds.to_json(),
            }
            for pair in _pairs(configuration)
        },
    }
