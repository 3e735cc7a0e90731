"""``trigreason keys``, on the database in the user's state folder or where a configuration says."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.commands import Command
from trigreason.gateway.keys import ActiveKey
from trigreason.gateway.storage import Storage

PAIRS = """
[engines.one]
url = "http://localhost:1/v1"
model = "m"
[pairs.qwen]
srm = "one"
lrm = "one"
"""


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "trigreason"


def authenticated(file: Path, text: str) -> ActiveKey | None:
    async def ask() -> ActiveKey | None:
        storage = await Storage.open(str(file), traces_days=7)
        try:
            return await storage.authenticate(text)
        finally:
            await storage.close()

    return asyncio.run(ask())


def test_a_key_is_printed_alone(command: Command, state: Path) -> None:
    left = command("keys", "create", "ada")
    assert left.code == 0
    (text,) = left.out.splitlines()
    assert "the key of ada" in left.err
    assert "shown only now" in left.err
    assert text not in left.err
    key = authenticated(state / "gateway.db", text)
    assert key is not None
    assert key.name == "ada"
    assert key.limits.is_unlimited
    assert key.pairs is None


def test_in_json_with_limits(command: Command) -> None:
    flags = ("--requests-per-minute", "20", "--tokens-per-minute", "1000000")
    money = ("--usd-per-day", "2.5", "--usd-per-month", "40")
    made = command("keys", "create", "ada", "--pair", "bundled", *flags, *money, "--json")
    assert made.code == 0
    limits = {
        "requests_per_minute": 20,
        "tokens_per_minute": 1_000_000,
        "usd_per_day": 2.5,
        "usd_per_month": 40,
    }
    assert made.json["key"].startswith(f"tr-{made.json['id']}-")
    assert {name: made.json[name] for name in ("name", "pairs", "limits")} == {
        "name": "ada",
        "pairs": ["bundled"],
        "limits": limits,
    }
    command("keys", "create", "bob")
    listed = command("keys", "list", "--json")
    ada, bob = listed.json["keys"]
    assert (ada["limits"], ada["pairs"], ada["revoked_at"]) == (limits, ["bundled"], None)
    assert (bob["name"], bob["pairs"], bob["requests"], bob["usd"]) == ("bob", None, 0, 0.0)
    assert made.json["key"] not in listed.out


@pytest.mark.parametrize(
    ("small", "large", "flag", "told"),
    [
        (False, False, "--usd-per-day", "No model of the pair qwen has prices"),
        (False, True, "--usd-per-day", "The SRM of the pair qwen has no prices"),
        (True, False, "--usd-per-month", "The LRM of the pair qwen has no prices"),
        (True, True, "--usd-per-day", None),
        (False, False, "--requests-per-minute", None),
    ],
)
def test_models_that_no_limit_in_usd_counts_are_told(
    command: Command, tmp_path: Path, small: bool, large: bool, flag: str, told: str | None
) -> None:
    engines = (
        f'[engines.{name}]\nurl = "http://localhost:1/v1"\nmodel = "m"\n'
        + ("prices = { input = 1, output = 2 }\n" if priced else "")
        for name, priced in (("small", small), ("large", large))
    )
    pair = '[pairs.qwen]\nsrm = "small"\nlrm = "large"\n'
    (tmp_path / "trigreason.toml").write_text("".join(engines) + pair)
    made = command("keys", "create", "ada", flag, "5")
    assert made.code == 0
    assert len(made.out.splitlines()) == 1
    if told is None:
        assert "prices" not in made.err
    else:
        assert told in made.err


def test_the_list_reads_well(command: Command) -> None:
    assert command("keys", "list").out.startswith("There are no keys; make one with")
    command("keys", "create", "ada", "--tokens-per-minute", "1000000", "--usd-per-day", "2.5")
    command("keys", "create", "old [red] key")
    command("keys", "revoke", "old [red] key")
    out = command("keys", "list").out
    for told in ("1,000,000 tokens/min", "2.5 USD/day", "0 requests", "0.0000 USD", "revoked"):
        assert told in out
    assert "[red]" in out
    assert "\x1b" not in out
    assert all(len(line) <= 80 for line in out.splitlines())


def test_revoking(command: Command, state: Path) -> None:
    text = command("keys", "create", "ada").out.strip()
    command("keys", "revoke", "adda").check_complaint(1, "'adda'", "did you mean ada?")
    assert authenticated(state / "gateway.db", text)
    left = command("keys", "revoke", text.split("-")[1])
    assert (left.code, left.err) == (0, "")
    assert authenticated(state / "gateway.db", text) is None
    command("keys", "revoke", "ada").check_complaint(1, "no key in force is called 'ada'")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("ada",), 1, "a key is called ada already"),
        (("",), 1, "1 to 100 printable characters"),
        (("bob", "--pair", "bundeld"), 2, "no pair is called 'bundeld'; did you mean bundled?"),
        (("bob", "--requests-per-minute", "0"), 2, "--requests-per-minute must be above 0"),
        (("bob", "--tokens-per-minute", "-5"), 2, "--tokens-per-minute must be above 0"),
        (("bob", "--usd-per-day", "nan"), 2, "--usd-per-day must be above 0"),
        (("bob", "--usd-per-month", "inf"), 2, "at most 1,000,000,000"),
        (("bob", "--usd-per-day", "much"), 2, "--usd-per-day"),
    ],
)
def test_what_is_refused(
    command: Command, arguments: tuple[str, ...], code: int, told: str
) -> None:
    command("keys", "create", "ada")
    command("keys", "create", *arguments).check_complaint(code, told)
    assert len(command("keys", "list", "--json").json["keys"]) == 1


def test_a_configuration_says_where_and_which_pairs(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "elsewhere" / "some.toml"
    file.parent.mkdir()
    file.write_text(PAIRS + '[gateway]\ndatabase = "keys.db"\n')
    left = command("keys", "create", "ada", "--pair", "qwen", "--config", str(file))
    assert left.code == 0
    key = authenticated(tmp_path / "elsewhere" / "keys.db", left.out.strip())
    assert key is not None
    assert key.pairs == ("qwen",)


def test_a_key_for_an_engine_that_requests_are_passed_on_to(
    command: Command, tmp_path: Path
) -> None:
    file = tmp_path / "trigreason.toml"
    file.write_text(f'{PAIRS}[gateway.passed]\nembeddings = ["one"]\n')
    left = command("keys", "create", "ada", "--pair", "one", "--usd-per-day", "1")
    assert left.code == 0
    assert "The engine one has no prices: its use counts as 0 USD." in left.err
    file.write_text(PAIRS)
    command("keys", "create", "ben", "--pair", "one").check_complaint(2, "no pair is called 'one'")


@pytest.mark.slow
def test_a_database_that_is_not_there(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "trigreason.toml"
    file.write_text('[gateway]\ndatabase_env = "MY_DATABASE"\n')
    command("keys", "list").check_complaint(1, "MY_DATABASE is not set; export MY_DATABASE=")
    monkeypatch.setenv("MY_DATABASE", "postgresql://me:secret@127.0.0.1:1/x")
    left = command("keys", "list")
    left.check_complaint(1, "postgresql://127.0.0.1/x: the database cannot be used")
    assert "secret" not in left.err
    monkeypatch.setenv("MY_DATABASE", str(tmp_path))
    command("keys", "list").check_complaint(1, f"{tmp_path}: the database cannot be opened")


@pytest.mark.slow
def test_without_the_extra() -> None:
    program = """
import sys
sys.modules["sqlalchemy"] = None
from trigreason.cli import main
main()
"""
    for arguments, code in ((("list",), 1), (("create", "ada"), 1), (("--help",), 0)):
        done = subprocess.run(
            [sys.executable, "-c", program, "keys", *arguments], capture_output=True, text=True
        )
        assert done.returncode == code
        if code:
            assert done.stderr == (
                "trigreason: the gateway is not installed; in the project's folder, "
                "uv sync --extra gateway or pip install '.[gateway]' installs it\n"
            )


@pytest.mark.slow
def test_other_commands_do_not_load_it() -> None:
    program = "import sys, trigreason.cli.app; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n"
