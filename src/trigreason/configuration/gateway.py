"""The ``[gateway]`` table of a configuration."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
_SQLITE_OR_POSTGRESQL = re.compile(r"(sqlite|postgresql)(\+\w+)?://.*", re.DOTALL)

ReasoningField = Literal["reasoning_content", "reasoning", "both"]


def _variable(name: str) -> str:
    if not (name.isascii() and name.isidentifier() and name == name.upper()):
        raise ValueError(
            "must be the NAME of an environment variable in capitals, not the key itself; "
            "write SMALL_KEY here and export SMALL_KEY=... in the shell"
        )
    return name


Variable = Annotated[str, AfterValidator(_variable)]


def _database(place: str) -> str:
    if "://" not in place:
        return place
    if not _SQLITE_OR_POSTGRESQL.fullmatch(place):
        raise ValueError("must be a file for SQLite, or a URL like postgresql://host/name")
    url = urlsplit(place)
    if url.password is not None or any("password" in key for key in parse_qs(url.query)):
        raise ValueError(
            "must not hold a password; put the URL into an environment variable, "
            "and the variable's name into database_env"
        )
    return place


_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[^\s/?#@:\[\]*]+)(:\d{1,5})?")
_USUAL_PORTS = {"http": ":80", "https": ":443"}


def _origin(origin: str) -> str:
    """An origin as browsers send it. Raises ValueError if it is none."""
    origin = origin.lower()
    if origin == "*":
        return origin
    match = _ORIGIN.fullmatch(origin)
    if match is None or not origin.isascii():
        raise ValueError("must be the origin of a page, such as https://chat.example.com, or *")
    if match[2] and match[2] == _USUAL_PORTS.get(origin.partition(":")[0]):
        raise ValueError(f"browsers leave {match[2]} out; so must the origin")
    return origin


class Limits(BaseModel):
    """The limits of one gateway process; requests beyond them are refused at no cost.

    Attributes:
        running: concurrent runs; each choice of a request is one.
        queued: runs that may wait for a place; further ones get 429.
        request_seconds: longest time for a request, including its wait (seconds).
        body_bytes, messages, choices: largest body, most messages, largest ``n``.
        shutdown_seconds: how long running requests may go on after a signal to stop.
        keepalive_seconds: longest silence in a stream before a comment is sent.
    """

    model_config = _STRICT

    running: Annotated[int, Field(ge=1)] = 32
    queued: Annotated[int, Field(ge=0)] = 256
    request_seconds: Annotated[float, Field(gt=0)] = 900.0
    body_bytes: Annotated[int, Field(ge=1024)] = 4 * 2**20
    messages: Annotated[int, Field(ge=1)] = 1000
    choices: Annotated[int, Field(ge=1)] = 8
    shutdown_seconds: Annotated[float, Field(ge=0)] = 30.0
    keepalive_seconds: Annotated[float, Field(gt=0)] = 15.0


class Traces(BaseModel):
    """Whether the database keeps traces, including their texts, and for how many days."""

    model_config = _STRICT

    keep: bool = False
    days: Annotated[float, Field(gt=0)] = 7.0


class TelemetrySettings(BaseModel):
    """Telemetry besides ``/metrics``.

    Attributes:
        otlp_endpoint: base URL of an OpenTelemetry collector (OTLP over HTTP); None sends nothing.
        log_texts: the log contains prompts and answers.
    """

    model_config = _STRICT

    otlp_endpoint: Annotated[str, Field(pattern="^https?://")] | None = None
    log_texts: bool = False


class Passed(BaseModel):
    """The names of the engines to which requests of a route are passed on as they are."""

    model_config = _STRICT

    completions: tuple[str, ...] = ()
    embeddings: tuple[str, ...] = ()
    rerank: tuple[str, ...] = ()


class GatewaySettings(BaseModel):
    """Where the gateway listens, what it stores, and its limits.

    ``database`` is a file for SQLite or a SQLAlchemy URL; ``database_env`` names the environment
    variable that holds a URL with a password. With neither, the database is a file in the user's
    state folder. ``pairs`` are the served ones; None for all configured pairs, or the bundled one
    if there are none. ``origins`` are those of the web pages that may ask, ``*`` for all; None for
    this machine's pages, or for all if other machines can reach the gateway. ``reasoning_field`` is
    the field of the reasoning in chat completions; ``both`` sends it twice. With ``strict`` a
    request that has a field without effect is refused, which is ignored otherwise.
    """

    model_config = _STRICT

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    pairs: tuple[str, ...] | None = None
    database: Annotated[str, Field(min_length=1), AfterValidator(_database)] | None = None
    database_env: Variable | None = None
    origins: tuple[Annotated[str, AfterValidator(_origin)], ...] | None = None
    reasoning_field: ReasoningField = "reasoning_content"
    strict: bool = False
    passed: Passed = Field(default_factory=Passed)
    limits: Limits = Field(default_factory=Limits)
    traces: Traces = Field(default_factory=Traces)
    telemetry: TelemetrySettings = Field(default_factory=TelemetrySettings)


def anchored(values: dict[str, Any], folder: Path) -> None:
    """Make a database file's path independent of the working directory."""
    database = values.get("database")
    if isinstance(database, str) and database and "://" not in database:
        values["database"] = str(folder / Path(database).expanduser())
