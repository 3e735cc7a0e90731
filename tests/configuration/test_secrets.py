"""A key goes to the server it is for, and nowhere else."""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.commands import served
from tests.scripted_server import Reply, say
from trigreason.cli.app import run
from trigreason.configuration import (
    ConfigurationError,
    opened_pair,
    planned_pair,
    read_configuration,
)
from trigreason.engines.base import EngineError
from trigreason.reasoner import completed, reason
from trigreason.reasoning import trace_to_json

KEY = "sk-recognisable-0123456789abcdef0123456789"
ENVIRON = {"MY_KEY": KEY}


def configured(folder: Path, url: str) -> Path:
    name, _, address = url.rpartition("@")
    file = folder / "trigreason.toml"
    file.write_text(
        f'[engines.e]\nurl = "{address}"\nmodel = "{name}"\napi_key_env = "MY_KEY"\n'
        "breaker = { failures = 1 }\n"
        '[pairs.p]\nsrm = "e"\nlrm = "e"\nfailure = { retries = 0 }\nthresholds = { n = 0 }\n'
    )
    return file


def all_of(error: BaseException | None) -> Iterator[str]:
    """Everything that an error and what led to it have to say."""
    while error is not None:
        yield from (str(error), repr(error), repr(error.args), repr(vars(error)))
        yield "".join(traceback.format_exception(error))
        error = error.__cause__ or error.__context__


async def test_a_run_keeps_the_key_to_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    async with served(lambda _: say("So.\n</think>\n\nYes.")) as model:
        file = configured(tmp_path, model.url)
        configuration = read_configuration(file, ENVIRON)
        plan = planned_pair(configuration, "p")
        async with opened_pair(plan, ENVIRON) as pair:
            trace = await completed(reason(pair, "Why?"))
            said = [
                repr(each) for each in (configuration, plan, pair, pair.srm, vars(plan.settings))
            ]
        said.append(json.dumps(trace_to_json(trace)))
        recorded = tmp_path / "trace.json"
        common = ("--config", str(file), "--pair", "p")
        for command in (
            ("solve", "Why?", "--json", "--trace", str(recorded), *common),
            ("solve", "Why?", *common),
            ("config", "check", str(file)),
            ("config", "check", str(file), "--json"),
            ("config", "show", str(file)),
        ):
            assert await asyncio.to_thread(run, command) == 0
        said += [*capsys.readouterr(), recorded.read_text()]
    assert model.keys == {f"Bearer {KEY}"}, "or there is nothing to find"
    assert not [each for each in said if KEY in each]


@pytest.mark.parametrize("then", ["refused", "failed", "torn", "error event", "no logprobs"])
async def test_errors_keep_the_key_to_themselves(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    then: str,
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    reply = {
        "refused": Reply([], status=401, error="no"),
        "failed": Reply([], status=500),
        "torn": say("So", then="break"),
        "error event": say("So", then="error"),
        "no logprobs": say("So."),
    }[then]
    async with served(lambda _: reply, "none" if then == "no logprobs" else "chat") as model:
        file = configured(tmp_path, model.url)
        plan = planned_pair(read_configuration(file, ENVIRON), "p")
        with pytest.raises(EngineError) as caught:
            async with opened_pair(plan, ENVIRON) as pair:
                await completed(reason(pair, "Why?"))
        command = ("solve", "Why?", "--json", "--config", str(file), "--pair", "p")
        assert await asyncio.to_thread(run, command) == 1
    said = [*all_of(caught.value), *capsys.readouterr()]
    assert model.keys == {f"Bearer {KEY}"}
    assert not [each for each in said if KEY in each]


async def test_a_server_that_repeats_the_key(tmp_path: Path) -> None:
    async with served(lambda _: Reply([], status=400, error=f"bad key {KEY}")) as model:
        plan = planned_pair(read_configuration(configured(tmp_path, model.url), ENVIRON), "p")
        with pytest.raises(EngineError) as caught:
            async with opened_pair(plan, ENVIRON) as pair:
                await completed(reason(pair, "Why?"))
    assert not [each for each in all_of(caught.value) if KEY in each]


@pytest.mark.parametrize(
    "line",
    [
        f'api_key = "{KEY}"',
        f'api_key_env = "{KEY}"',
        f'key = "{KEY}"',
        f'url = "http://user:{KEY}@x/v1"',
        f'url = "http://x/v1?key={KEY}"',
        f'url = "{KEY}"',
        f'dialect = "{KEY}"',
        f'logprob_scale = "{KEY}"',
        f'context_tokens = "{KEY}"',
        f'timeouts = "{KEY}"',
        f'prices = {{ input = "{KEY}" }}',
        f'breaker = [ "{KEY}" ]',
        f'url = "{KEY}',
    ],
)
@pytest.mark.parametrize("command", ["check", "show"])
def test_a_key_in_the_wrong_place_is_not_repeated(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str, command: str
) -> None:
    file = tmp_path / "trigreason.toml"
    file.write_text(f"[engines.e]\n{line}\n[pairs.p]\nsrm = '{KEY}'\nlrm = 'e'\n")
    with pytest.raises(ConfigurationError) as caught:
        read_configuration(file, {"TRIGREASON_PAIR": KEY})
    assert not [each for each in all_of(caught.value) if KEY in each]
    assert run(("config", command, str(file))) == 1
    assert not [each for each in capsys.readouterr() if KEY in each]
