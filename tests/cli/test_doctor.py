"""``trigreason doctor``: what it prints, what it exits with, and how it meets servers that fail."""

from __future__ import annotations

import asyncio
import io
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from rich.console import Console

from tests.cli.commands import Command, Finished, finished, start
from tests.conftest import soon
from tests.engines.probed_server import ProbedServer, probed
from trigreason.bundled import LRM_FILE, SRM_FILE
from trigreason.cli.console import THEME
from trigreason.cli.findings import TITLES, show_report
from trigreason.engines.probing import Finding, Report, State, Topic
from trigreason.reasoning import Author

pytestmark = pytest.mark.slow

Examined = Callable[..., Awaitable[Finished]]


@pytest.fixture
def examined(command: Command) -> Examined:
    """The command beside the servers that it asks, each in a thread."""
    return lambda *arguments: asyncio.to_thread(command, "doctor", *arguments)


def states(left: Finished, index: int = 0) -> dict[str, str]:
    findings = left.json["endpoints"][index]["findings"]
    return {each["topic"]: each["state"] for each in findings}


# What is printed


def test_a_file(command: Command) -> None:
    left = command("doctor", str(SRM_FILE))
    assert (left.code, left.err) == (0, "")
    lines = left.out.splitlines()
    assert lines[0] == f"{SRM_FILE} · dialect llama.cpp"
    for line, title in zip(lines[1:], TITLES.values(), strict=False):
        assert line.startswith((f" ✓ {title} ", f" ✗ {title} "))
    assert " ✓ as the SRM  yes; weak: room to think" in lines
    assert "requests: " in lines[-1]
    assert "\x1b" not in left.out
    assert all(line == line.rstrip() for line in lines)


def test_json(command: Command) -> None:
    left = command("doctor", str(LRM_FILE), "--json", "--role", "srm")
    assert left.code == 0
    assert left.json["schema"] == 1
    [endpoint] = left.json["endpoints"]
    assert list(endpoint) == [
        *("name", "place", "model", "dialect", "server", "findings", "measured", "cost"),
        *("roles", "fit_for", "fit"),
    ]
    assert (endpoint["model"], endpoint["dialect"]) == ("lrm", "llama.cpp")
    assert endpoint["roles"]["srm"] == {
        "role": "srm",
        "state": "yes",
        "missing": [],
        "weak": ["context"],
    }
    assert (endpoint["fit_for"], endpoint["fit"]) == (["srm"], True)


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_terminal_of_any_width(width: int) -> None:
    out = io.StringIO()
    console = Console(theme=THEME, file=out, force_terminal=True, width=width, color_system=None)
    report = Report("there")
    words = "told at length, " * 8
    report.findings = [Finding(topic, State.NO, words, words) for topic in Topic]
    show_report(console, report, (Author.LRM,))
    lines = out.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert out.getvalue().count("→") == len(Topic)


async def test_a_guessed_template(examined: Examined) -> None:
    async with probed(ProbedServer()) as server:
        left = await examined(server.url)
        as_json = await examined(server.url, "--json")
    assert left.out.startswith(f"{server.url} · dialect vllm\n")
    assert " ? prompt template       cannot tell: built-in chatml, for want of" in left.out
    assert "--enable-tokenizer-info-endpoint" in left.out
    assert " ✓ as the SRM  yes; weak: prompt template" in left.out
    assert left.code == as_json.code == 0
    assert as_json.json["endpoints"][0]["roles"]["srm"]["weak"] == ["template", "thinking"]


# What it exits with


@pytest.mark.parametrize(("role", "code"), [("srm", 1), ("lrm", 0)])
async def test_a_server_without_logprobs(examined: Examined, role: str, code: int) -> None:
    async with probed(ProbedServer(logprobs=False)) as server:
        left = await examined(server.url, "--role", role)
    assert (left.code, left.err) == (code, "")
    assert " ✗ gives logprobs" in left.out
    assert "switch the offload off (--rho 1)" in left.out
    assert " ✗ as the SRM  no; missing: gives logprobs" in left.out
    assert " ✓ as the LRM  yes" in left.out


@pytest.mark.parametrize("flags", [(), ("--json",)], ids=["shown", "json"])
async def test_nobody_there(examined: Examined, flags: tuple[str, ...]) -> None:
    left = await examined("http://127.0.0.1:9", *flags)
    assert (left.code, left.err) == (1, "")
    assert "Is the server running" in left.out


async def test_a_server_that_accepts_and_says_nothing(examined: Examined) -> None:
    server = await asyncio.start_server(lambda *_: asyncio.sleep(60), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        began = perf_counter()
        left = await examined(f"http://127.0.0.1:{port}", "--silence", "1")
    assert perf_counter() - began < 6
    assert (left.code, left.err) == (1, "")
    assert "no answer" in left.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("localhost:9",), "localhost:9 is no file; a server is written http://localhost:9"),
        (("http://localhost:9", "--role", "srn"), "'--role': 'srn' is not one of 'srm', 'lrm'"),
    ],
)
def test_mistakes_in_plain_words(command: Command, arguments: tuple[str, ...], told: str) -> None:
    left = command("doctor", *arguments)
    assert left.code in (1, 2)
    assert told in left.err


async def test_a_server_that_stalls(examined: Examined) -> None:
    async with probed(ProbedServer(silent_after=0)) as server:
        began = perf_counter()
        left = await examined(server.url, "--silence", "1")
    assert perf_counter() - began < 10
    assert (left.code, left.err) == (1, "")
    assert "silent for 1 s" in left.out


async def test_a_server_without_the_model(examined: Examined) -> None:
    async with probed(ProbedServer()) as server:
        left = await examined(f"other@{server.url}", "--json")
    assert left.code == 1
    assert states(left) == {"reachable": "yes", "model": "no"}


async def test_a_key_that_is_not_accepted(
    examined: Examined, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "sk-whisper")
    async with probed(ProbedServer(status=401)) as server:
        left = await examined(server.url, "--api-key-env", "SECRET")
    assert left.code == 1
    assert "Check the API key" in left.out
    assert "sk-whisper" not in left.out + left.err


@pytest.mark.slow
async def test_ctrl_c() -> None:
    async with probed(ProbedServer(pace=0.2)) as server:
        process = await start("doctor", server.url)
        assert await soon(lambda: server.running == 1, seconds=30)
        process.send_signal(signal.SIGINT)
        left = await finished(process)
        assert await soon(lambda: server.running == 0)
    assert (left.code, left.err) == (130, "trigreason: interrupted\n")


# Wrong use


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["none.gguf"], 1, "cannot be read"),
        ([__file__], 1, "is no GGUF file"),
        ([], 2, "name what to examine"),
        (["http://there", "--dialect", "latin"], 2, "there is no dialect 'latin'"),
        (["http://there", "--api-key-env", "NOT_SET"], 1, "NOT_SET is not set"),
        (["http://there", "--role", "both"], 2, "both"),
    ],
    ids=["no file", "no GGUF", "nothing", "dialect", "key", "role"],
)
def test_wrong_use(
    command: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    command("doctor", *arguments).check_complaint(code, said)


# The configuration


async def configured(examined: Examined, folder: Path, *arguments: str, **defects: Any) -> Finished:
    """The doctor's word on a configuration of a double and a GGUF file."""
    async with probed(ProbedServer(**defects)) as server:
        file = folder / "trigreason.toml"
        file.write_text(
            f'[engines.there]\nurl = "{server.url}"\n'
            f'[engines.here]\nfile = "{SRM_FILE}"\n'
            '[pairs.both]\nsrm = "here"\nlrm = "there"\n'
        )
        return await examined(*arguments, "--json", "--config", str(file))


async def test_every_engine_of_the_configuration(examined: Examined, tmp_path: Path) -> None:
    left = await configured(examined, tmp_path, logprobs=False)
    assert left.code == 0, left.err
    by_name = {each["name"]: each for each in left.json["endpoints"]}
    assert {name: each["fit_for"] for name, each in by_name.items()} == {
        "there": ["lrm"],
        "here": ["srm"],
    }
    assert by_name["there"]["roles"]["srm"]["state"] == "no"


async def test_one_engine_of_the_configuration(examined: Examined, tmp_path: Path) -> None:
    left = await configured(examined, tmp_path, "there", "--role", "srm", logprobs=False)
    assert left.code == 1
    assert [each["name"] for each in left.json["endpoints"]] == ["there"]


async def test_the_configuration_says_how_its_engines_are_spoken_to(
    examined: Examined, tmp_path: Path
) -> None:
    left = await configured(examined, tmp_path, "there", "--dialect", "vllm")
    left.check_complaint(2, "change it there")
