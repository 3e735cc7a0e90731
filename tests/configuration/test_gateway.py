"""The ``[gateway]`` table: where its values come from, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from trigreason.configuration import (
    ConfigurationError,
    effective_values,
    read_configuration,
)
from trigreason.configuration.gateway import GatewaySettings

PASSWORDS = (
    "postgresql://user:hunter2@host/db",
    "postgresql://user@host/db?password=hunter2",
    "postgresql://host/db?sslmode=verify-full&sslpassword=hunter2",
)


def configured(folder: Path, toml: str, **environ: str) -> GatewaySettings:
    file = folder / "trigreason.toml"
    file.write_text(toml)
    return read_configuration(file, environ).settings.gateway


def wrong(folder: Path, toml: str, **environ: str) -> list[str]:
    """What is wrong, each problem without the folder that its file is in."""
    with pytest.raises(ConfigurationError) as error:
        configured(folder, toml, **environ)
    return [str(each).replace(f"{folder}/", "") for each in error.value.problems]


def test_without_any_it_is_the_defaults(tmp_path: Path) -> None:
    assert configured(tmp_path, "") == configured(tmp_path, "[gateway]\n") == GatewaySettings()


def test_values_of_the_file_and_of_the_environment(tmp_path: Path) -> None:
    toml = '[gateway]\nport = 1\npairs = ["bundled"]\nlimits = { running = 2, queued = 3 }\n'
    settings = configured(
        tmp_path,
        toml,
        TRIGREASON_GATEWAY__PORT="9000",
        TRIGREASON_GATEWAY__LIMITS__RUNNING="5",
        TRIGREASON_GATEWAY__HOST="::1",
        TRIGREASON_GATEWAY__TRACES__KEEP="true",
        TRIGREASON_GATEWAY__DATABASE_ENV="DB_URL",
    )
    assert (settings.port, settings.host, settings.pairs) == (9000, "::1", ("bundled",))
    assert (settings.limits.running, settings.limits.queued) == (5, 3)
    assert settings.traces.keep
    assert settings.database_env == "DB_URL"


def test_origins_are_as_browsers_send_them(tmp_path: Path) -> None:
    given = (
        *("https://Chat.Example.com", "http://localhost:5173", "http://[::1]:8008", "*"),
        *("tauri://localhost", "https://x.example:80"),
    )
    settings = configured(tmp_path, f"[gateway]\norigins = {list(given)}\n")
    assert settings.origins == tuple(origin.lower() for origin in given)


@pytest.mark.parametrize(
    "origin",
    [
        *("chat.example.com", "https://", "https://a.example/", "https://a.example/page", ""),
        *("https://*.example.com", "https://u@a.example", "https://a.example:x", "https://a b"),
        *("https://é.example", "null", "https://a.example?x", "https://a.example#x"),
        *("https://a.example:443", "http://a.example:80"),
    ],
)
def test_what_is_no_origin(tmp_path: Path, origin: str) -> None:
    (problem,) = wrong(tmp_path, f'[gateway]\norigins = ["{origin}"]\n')
    assert "gateway.origins" in problem
    assert ("must be the origin" in problem) is not (":443" in problem or ":80" in problem)


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("gateway.db", "{folder}/gateway.db"),
        ("sub/gateway.db", "{folder}/sub/gateway.db"),
        ("/var/gateway.db", "/var/gateway.db"),
        ("~/gateway.db", "{home}/gateway.db"),
        ("sqlite:///gateway.db", "sqlite:///gateway.db"),
        ("postgresql://host/db", "postgresql://host/db"),
        ("postgresql+psycopg://user@host:5432/db", "postgresql+psycopg://user@host:5432/db"),
    ],
)
def test_a_database_file_is_relative_to_the_configuration(
    tmp_path: Path, place: str, found: str
) -> None:
    settings = configured(tmp_path, f'[gateway]\ndatabase = "{place}"\n')
    assert settings.database == found.format(folder=tmp_path, home=Path.home())


@pytest.mark.parametrize(
    ("toml", "problem"),
    [
        ("prot = 1", "gateway.prot: unknown key; did you mean port?"),
        ("[gateway.limits]\nruning = 1", "gateway.limits.runing: unknown key; did you mean"),
        ("[gateway.traces]\nday = 1", "gateway.traces.day: unknown key; did you mean days?"),
        ('port = "8000"', "gateway.port: must be a whole number, not '8000'"),
        ("port = 65536", "gateway.port: must be less than or equal to 65535"),
        ('host = ""', "gateway.host: must have at least 1 character"),
        ("limits = 5", "gateway.limits: "),
        ("[gateway.limits]\nrunning = 0", "gateway.limits.running: must be greater than"),
        ("[gateway.limits]\nrequest_seconds = inf", "gateway.limits.request_seconds: "),
        ("[gateway.limits]\nbody_bytes = 10", "gateway.limits.body_bytes: must be greater than"),
        ("[gateway.traces]\ndays = 0", "gateway.traces.days: must be greater than 0"),
        ('pairs = ["bundeld"]', "gateway.pairs: no pair is called 'bundeld'; did you mean bundled"),
        ('database = ""', "gateway.database: must have at least 1 character"),
        ('database = "mysql://host/db"', "gateway.database: must be a file for SQLite, or a URL"),
        ('database_env = "postgresql://x"', "gateway.database_env: must be the NAME of an"),
        ('[gateway.telemetry]\notlp_endpoint = "host:4318"', "gateway.telemetry.otlp_endpoint: "),
        ('[gateway.telemetry]\nlog_texts = "yes"', "gateway.telemetry.log_texts: must be true or"),
    ],
)
def test_problems_name_the_file_the_key_and_what_to_do(
    tmp_path: Path, toml: str, problem: str
) -> None:
    (told,) = wrong(tmp_path, f"[gateway]\n{toml}\n")
    assert told.startswith(f"trigreason.toml: {problem}")
    assert "\n" not in told


def test_a_variable_that_is_wrong_is_named(tmp_path: Path) -> None:
    (told,) = wrong(tmp_path, "", TRIGREASON_GATEWAY__PROT="1")
    assert told == "TRIGREASON_GATEWAY__PROT: gateway.prot: unknown key; did you mean port?"


@pytest.mark.parametrize("variable", ["TRIGREASON_GATEWAY__", "TRIGREASON_GATEWAY__LIMITS__"])
def test_a_variable_that_names_no_key(tmp_path: Path, variable: str) -> None:
    (told,) = wrong(tmp_path, "", **{variable: "1"})
    assert told.startswith(f"{variable}: ")


def test_a_password_is_refused_and_not_repeated(tmp_path: Path) -> None:
    for url in PASSWORDS:
        (of_file,) = wrong(tmp_path, f'[gateway]\ndatabase = "{url}"\n')
        (of_variable,) = wrong(tmp_path, "", TRIGREASON_GATEWAY__DATABASE=url)
        for problem in (of_file, of_variable):
            assert "put the URL into an environment variable" in problem
            assert "hunter2" not in problem


def test_every_value_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "trigreason.toml"
    file.write_text('[gateway]\nport = 1\ndatabase = "gateway.db"\n')
    environ = {"TRIGREASON_GATEWAY__LIMITS__QUEUED": "7"}
    shown = {
        each.key: (each.value, each.place)
        for each in effective_values(read_configuration(file, environ))
        if each.key.startswith("gateway.")
    }
    assert shown["gateway.port"] == ("1", str(file))
    assert shown["gateway.database"] == (f'"{tmp_path}/gateway.db"', str(file))
    assert shown["gateway.limits.queued"] == ("7", "TRIGREASON_GATEWAY__LIMITS__QUEUED")
    assert shown["gateway.limits.running"] == ("32", "default")
    assert shown["gateway.traces.keep"] == ("false", "default")
    assert "gateway.database_env" not in shown
