"""``trigreason config``, and configurations at work in ``trigreason solve``."""

from __future__ import annotations

import asyncio
import json
import tomllib
from pathlib import Path

import pytest

from tests.cli.commands import QUESTION, Command, served
from tests.scripted_server import say
from trigreason import bundled
from trigreason.cli.app import run
from trigreason.cli.running import Assignment
from trigreason.configuration import read_configuration
from trigreason.failure import Away, FailurePolicy
from trigreason.hiding import Hiding
from trigreason.reasoning import Author, Thresholds, trace_from_json

FILES = f"""
default_pair = "both"
[engines.small]
file = "{bundled.SRM_FILE}"
[engines.large]
file = "{bundled.LRM_FILE}"
prices = {{ input = 1, output = 2 }}
[pairs.both]
srm = "small"
lrm = "large"
thresholds = {{ n = 2, rho = 0.5 }}
budget = {{ thinking_tokens = 70 }}
sampling = {{ temperature = 0, seed = 5 }}
[pairs.other]
srm = "small"
lrm = "small"
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def configured(folder: Path) -> Path:
    """A trigreason.toml in the current folder, of two GGUF files."""
    file = folder / "trigreason.toml"
    file.write_text(FILES)
    return file


def test_the_example_is_fine(command: Command, folder: Path) -> None:
    told = command("config", "example")
    assert (told.code, told.err) == (0, "")
    (folder / "trigreason.toml").write_text(told.out)
    checked = command("config", "check")
    assert (checked.code, checked.err) == (0, "")
    assert "pair qwen (default)" in checked.out
    assert "small (Qwen/Qwen3-0.6B at http://localhost:8001/v1)" in checked.out


@pytest.mark.parametrize("command_name", ["check", "show"])
def test_the_file_is_named_as_in_other_commands(
    command: Command, configured: Path, command_name: str
) -> None:
    plain = command("config", command_name, str(configured))
    assert (plain.code, plain.err) == (0, "")
    assert command("config", command_name, "--config", str(configured)).out == plain.out
    both = command("config", command_name, str(configured), "--config", str(configured))
    assert both.code == 2
    assert "name one configuration" in both.err


def test_the_example_is_fine_with_everything_in_it_switched_on(
    command: Command, folder: Path
) -> None:
    lines = command("config", "example").out.splitlines()
    on = [line[2:] if line.startswith("# ") and " = " in line else line for line in lines]
    (folder / "trigreason.toml").write_text("\n".join(on).replace("# [engines", "[engines"))
    settings = read_configuration(folder / "trigreason.toml", {}).settings
    assert settings.engines["large"].api_key_env == "LARGE_KEY"
    assert settings.engines["file"].context_tokens == 16384
    assert settings.pairs["qwen"].hiding == Hiding(warm_seconds=5, hedge=True)


def test_without_a_file_the_bundled_pair_is_there(command: Command) -> None:
    told = command("config", "check")
    assert told.code == 0
    assert "no configuration file" in told.out
    assert "pair bundled (default)" in told.out
    assert command("config", "check", "--json").json["file"] is None


def test_what_each_pair_would_be(command: Command, configured: Path) -> None:
    told = command("config", "check")
    assert told.code == 0
    assert "trigreason.toml is fine: 2 engines" in told.out
    assert f"SRM small ({bundled.SRM_FILE})" in told.out
    assert "n = 2, τ = 1.05, ρ = 0.5" in told.out
    answer = command("config", "check", str(configured), "--json").json
    assert answer["file"] == str(configured)
    assert (answer["problems"], answer["default_pair"]) == ([], "both")
    assert set(answer["pairs"]) == {"bundled", "both", "other"}
    assert answer["pairs"]["both"]["thresholds"]["rho"] == 0.5


def test_every_problem_has_a_line(
    command: Command, configured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured.write_text("a = 1\n[engines.s]\nuri = 'x'\n")
    monkeypatch.setenv("TRIGREASON_PAIRS__P__SRN", "s")
    told = command("config", "check", str(configured))
    assert (told.code, told.err) == (1, "")
    lines = told.out.splitlines()
    assert f"{configured}: a: unknown key; there are default_pair, engines, pairs, gateway" in lines
    assert f"{configured}: engines.s.uri: unknown key; did you mean url?" in lines
    assert "TRIGREASON_PAIRS__P__SRN: pairs.p.srn: unknown key; did you mean srm?" in lines
    answer = command("config", "check", str(configured), "--json")
    assert answer.code == 1
    assert [f"{p['place']}: {p['key']}: {p['what']}" for p in answer.json["problems"]] == lines
    command("solve", QUESTION).check_complaint(1, lines[0].split(": ", 1)[1], "more")


def test_check_says_what_is_missing_on_this_machine(
    command: Command, configured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured.write_text(
        '[engines.a]\nurl = "http://x"\napi_key_env = "MY_KEY"\n[engines.b]\nfile = "none.gguf"\n'
    )
    told = command("config", "check")
    assert told.code == 1
    assert "engines.a.api_key_env: the environment variable MY_KEY is not set" in told.out
    assert "engines.b.file: " in told.out
    monkeypatch.setenv("MY_KEY", "x")
    assert "MY_KEY" not in command("config", "check").out


def test_show_prints_a_configuration_that_says_the_same(
    command: Command, configured: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIGREASON_PAIRS__BOTH__THRESHOLDS__RHO", "0.25")
    told = command("config", "show").out
    assert "pairs.both.thresholds.rho = 0.25  # TRIGREASON_PAIRS__BOTH__THRESHOLDS__RHO" in told
    assert "pairs.both.thresholds.n = 2  # trigreason.toml" in told
    assert "pairs.both.thresholds.k = 2  # default" in told
    assert tomllib.loads(told)["pairs"]["both"]["budget"]["thinking_tokens"] == 70
    again = folder / "again.toml"
    again.write_text(told)
    shown = command("config", "show", str(again)).out
    assert tomllib.loads(shown) == tomllib.loads(told)


@pytest.mark.slow
def test_solve_uses_the_default_pair_and_says_so(command: Command, configured: Path) -> None:
    told = command("solve", QUESTION, "--json")
    assert told.err == "trigreason: using pair both, as trigreason.toml says\n"
    trace = trace_from_json(told.json)
    assert trace.thresholds == Thresholds(n=2, rho=0.5)
    assert trace.sampling["temperature"] == 0
    assert trace.sampling["seed"] == 5
    assert trace.prices[Author.LRM].output == 2
    shown = command("solve", QUESTION)
    assert "pair both · SRM small" in shown.out
    assert shown.err == ""


@pytest.mark.slow
def test_solve_by_the_pairs_name(
    command: Command, configured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def models(*flags: str) -> set[str]:
        told = command("solve", QUESTION, "--json", "--steps", "3", *flags)
        assert told.err == ""
        return set(trace_from_json(told.json).models.values())

    assert models("--pair", "other") == {"srm"}
    assert models("--pair", "bundled") == {"srm", "lrm"}
    moved = configured.rename(configured.with_name("elsewhere.toml"))
    assert models("--config", str(moved), "--pair", "other") == {"srm"}
    monkeypatch.setenv("TRIGREASON_CONFIG", str(moved))
    assert models("--pair", "other") == {"srm"}
    monkeypatch.setenv("TRIGREASON_PAIR", "other")
    told = command("solve", QUESTION, "--quiet", "--steps", "3")
    assert told.err.startswith("trigreason: using pair other, as TRIGREASON_PAIR says\n")


@pytest.mark.slow
def test_flags_go_over_the_pair(command: Command, configured: Path) -> None:
    told = command(
        *("solve", QUESTION, "--json", "--pair", "both", "--n", "1", "--temperature", "0.5"),
        *("--thinking-tokens", "20", "--seed", "0"),
    )
    trace = trace_from_json(told.json)
    assert trace.thresholds == Thresholds(n=1, rho=0.5)
    assert (trace.sampling["temperature"], trace.sampling["seed"]) == (0.5, 0)
    assert (trace.limit, trace.thinking_tokens) == ("thinking_tokens", 20)
    paper = trace_from_json(command("solve", QUESTION, "--json", "--paper", "--steps", "1").json)
    assert paper.thresholds == Thresholds(repeats=0, script_stop=True)


@pytest.mark.slow
def test_models_by_name_and_by_place(command: Command, configured: Path) -> None:
    def trace(*flags: str) -> tuple[dict[Author, str], Thresholds]:
        told = trace_from_json(command("solve", QUESTION, "--json", "--steps", "3", *flags).json)
        return told.models, told.thresholds

    pair_stays = Thresholds(n=2, rho=0.5)
    both, large = {Author.SRM: "srm", Author.LRM: "lrm"}, str(bundled.LRM_FILE)
    assert trace("--srm", "small", "--lrm", "large") == (both, Thresholds())
    assert trace("--srm", "small", "--lrm", large) == (both, Thresholds())
    assert trace("--srm", "large") == ({Author.SRM: "lrm", Author.LRM: "lrm"}, pair_stays)
    assert trace("--pair", "other", "--lrm", large) == (both, Thresholds())


@pytest.mark.parametrize(
    ("flags", "code", "told"),
    [
        (("--pair", "bth"), 2, "did you mean both?"),
        (("--srm", "smal"), 2, "did you mean small?"),
        (("--pair", "bundled", "--srm", "small"), 2, "comes with its models"),
        (("--config", "none.toml"), 1, "none.toml: cannot be read"),
        (("--srm", "http://me:pw@x"), 1, "must not hold a password"),
        (("--retries", "-1"), 2, "retries must be 0 or more"),
        (("--warm-seconds", "0"), 2, "warm_seconds must be above 0"),
        (("--warm-tokens", "0"), 2, "warm_tokens must be 1 or more"),
    ],
)
def test_wrong_flags(
    command: Command, configured: Path, flags: tuple[str, ...], code: int, told: str
) -> None:
    finished = command("solve", QUESTION, *flags)
    finished.check_complaint(code, told)
    assert "pw" not in finished.err


async def test_an_engine_behind_a_key(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", "open-sesame")
    async with served(lambda _: say("So.\n</think>\n\nYes.")) as model:
        name, _, url = model.url.rpartition("@")
        (folder / "trigreason.toml").write_text(
            f'[engines.e]\nurl = "{url}"\nmodel = "{name}"\napi_key_env = "MY_KEY"\n'
            '[pairs.p]\nsrm = "e"\nlrm = "e"\n'
        )
        arguments = ("solve", "Why?", "--quiet", "--pair", "p")
        assert await asyncio.to_thread(run, arguments) == 0
        assert model.keys == {"Bearer open-sesame"}
        assert capsys.readouterr().out == "Yes.\n"
        monkeypatch.delenv("MY_KEY")
        assert await asyncio.to_thread(run, arguments) == 1
    assert "engines.e.api_key_env: the environment variable MY_KEY is not set" in (
        capsys.readouterr().err
    )


def test_failure_and_hiding_come_from_the_pair_and_the_flags(
    command: Command, configured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Assignment] = []

    async def look(task: Assignment, *_: object) -> None:
        seen.append(task)
        raise ValueError("seen")

    monkeypatch.setattr("trigreason.cli.solve.carry_out", look)
    configured.write_text(
        FILES + 'failure.srm_away = "fail"\nfailure.retries = 1\nhiding = { warm_tokens = 9 }\n'
    )
    command("solve", QUESTION, "--pair", "other")
    command(
        *("solve", QUESTION, "--pair", "other", "--retries", "7"),
        *("--warm-seconds", "2", "--warm-tokens", "3", "--hedge"),
    )
    plain, flagged = (each.pair.settings for each in seen)
    assert plain.failure == FailurePolicy(retries=1, srm_away=Away.FAIL)
    assert plain.hiding == Hiding(warm_tokens=9)
    assert flagged.failure == FailurePolicy(retries=7, srm_away=Away.FAIL)
    assert flagged.hiding == Hiding(warm_seconds=2, warm_tokens=3, hedge=True)


def test_demo_is_always_the_bundled_pair(command: Command, configured: Path) -> None:
    configured.write_text("this is no TOML")
    told = command("demo", "--count", "1", "--json")
    assert (told.code, told.err) == (0, "")
    assert json.loads(told.out)["problems"]


def test_flags_are_shown_without_a_type(command: Command) -> None:
    for arguments in (("solve",), ("config", "check"), ("trace", "replay"), ()):
        assert "<bool>" not in command(*arguments, "--help").out
