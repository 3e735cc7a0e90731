"""``trigreason solve`` on the bundled pair, as a user calls it."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.commands import QUESTION, Command, served
from tests.doubles.vllm_pooling import MODEL, rating
from tests.runs import check_accounts, check_replay
from tests.scripted_server import Reply, say, words
from trigreason import bundled
from trigreason.answers import boxed
from trigreason.cli.app import run
from trigreason.reasoning import (
    Author,
    StepEnd,
    StopReason,
    Thresholds,
    load_trace,
    trace_from_json,
)

SRM, LRM = str(bundled.SRM_FILE), str(bundled.LRM_FILE)
METHODS = ("trigreason", "specreason", "srm", "lrm")
GUESS = "trigreason: The prompt template of the {} is guessed; see trigreason doctor."


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_json_adds_up(command: Command, method: str) -> None:
    told = command("solve", QUESTION, "--json", "--method", method)
    answer = told.json
    trace = trace_from_json(answer)
    assert (told.code, told.err) == (int(trace.stop is StopReason.TRUNCATED), "")
    assert answer["answer"] == trace.answer
    assert answer["boxed"] == boxed(trace.answer)
    assert answer["stop"] == trace.stop
    assert answer["fingerprint"] == trace.fingerprint() == answer["trace"]["fingerprint"]
    standing = [step["tokens"] for step in answer["trace"]["steps"] if step["standing"]]
    assert sum(standing) == answer["trace"]["totals"]["thinking_tokens"]
    check_accounts(trace)
    check_replay(trace)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_trace(command: Command) -> None:
    def fingerprint(*flags: str) -> str:
        flags = ("--temperature", "2", "--thinking-tokens", "60", *flags)
        told: str = command("solve", QUESTION, "--json", *flags).json["fingerprint"]
        return told

    assert fingerprint("--seed", "3") == fingerprint("--seed", "3")
    assert len({fingerprint("--seed", str(seed)) for seed in range(3)}) > 1


@pytest.mark.slow
def test_thresholds_come_from_the_pair_the_paper_and_the_flags(command: Command) -> None:
    def thresholds(*flags: str) -> Thresholds:
        told = command("solve", QUESTION, "--json", "--thinking-tokens", "9", *flags)
        return trace_from_json(told.json).thresholds

    assert thresholds() == replace(bundled.profile(), risk_model=None), "TrigReason uses none"
    assert thresholds("--paper") == Thresholds(repeats=0, script_stop=True)
    assert thresholds("--srm", SRM, "--lrm", LRM) == Thresholds()
    assert thresholds(
        *("--paper", "--n", "3", "--tau", "1.2", "--rho", "0.5", "--direction", "under"),
        *("--k", "4", "--m", "5", "--hesitation", "er", "--hesitation", "hm"),
        *("--accept", "5", "--judge-first", "2"),
    ) == Thresholds(
        n=3,
        tau=1.2,
        rho=0.5,
        direction=Thresholds.from_json({"direction": "under"}).direction,
        k=4,
        m=5,
        accept=5,
        judge_first=2,
        script_stop=True,
        repeats=0,
        expressions=("er", "hm"),
    )


@pytest.mark.slow
def test_only_the_models_that_are_needed_are_opened(command: Command) -> None:
    nobody = "http://127.0.0.1:9"
    alone = command("solve", QUESTION, "--json", "--method", "srm", "--srm", SRM)
    assert trace_from_json(alone.json).models == {Author.SRM: "srm"}
    told = command("solve", QUESTION, "--json", "--method", "lrm", "--srm", nobody, "--lrm", LRM)
    assert trace_from_json(told.json).models == {Author.LRM: "lrm"}
    off = ("--n", "0", "--rho", "1", "--m", "0")
    told = command("solve", QUESTION, "--json", "--srm", SRM, *off)
    assert trace_from_json(told.json).models == {Author.SRM: "srm"}


@pytest.mark.parametrize("question", ["Πόσο κάνει 2 + 2; 🤔", "ab\tc\u200dd", "-1 + 2 ="])
def test_any_characters(command: Command, question: str) -> None:
    told = command("solve", "--json", "--thinking-tokens", "20", "--", question)
    assert trace_from_json(told.json).messages[0].content == question


@pytest.mark.slow
def test_questions_from_a_file_and_from_standard_input(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "question.txt"
    file.write_text(f"{QUESTION}\n")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"{QUESTION}\r\n".encode())))

    def short(*how: str) -> str:
        told: str = command("solve", "--json", "--steps", "2", *how).json["fingerprint"]
        return told

    as_told = [("--file", str(file)), ("-",), (QUESTION,)]
    fingerprints = {short(*how) for how in as_told}
    assert len(fingerprints) == 1


def test_quiet_prints_the_answer_alone(command: Command) -> None:
    told = command("solve", QUESTION, "--quiet")
    expected = command("solve", QUESTION, "--json").json["answer"]
    assert (told.out, told.err) == (f"{expected}\n", "")


def test_a_pipe_gets_plain_text(command: Command) -> None:
    told = command("solve", QUESTION)
    assert "\x1b" not in told.out
    assert "LRM primes: writes the first" in told.out
    assert "by the SRM (SMT)" in told.out


def test_the_trace_is_written_whole(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "out.json"
    file.write_text("old")
    told = command("solve", QUESTION, "--json", "--trace", str(file))
    assert load_trace(file.read_text()) == trace_from_json(told.json)
    assert [each.name for each in tmp_path.iterdir()] == ["out.json"]


def test_the_trace_can_go_to_a_device(command: Command) -> None:
    assert command("solve", QUESTION, "--quiet", "--trace", "/dev/null").code == 0
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize(
    ("flags", "code", "told"),
    [
        ((), 2, ("give one question", "--file")),
        (("",), 2, ("the question is empty",)),
        ((" \n",), 2, ("the question is empty",)),
        (("--file", "/nowhere/at/all"), 1, ("/nowhere/at/all", "Check the path")),
        (("--file", SRM), 2, ("is no UTF-8 text",)),
        (("a", "--file", "b"), 2, ("give one question",)),
        (("a", "--rho", "2"), 2, ("rho", "between 0 and 1")),
        (("a", "--tau", "0.5"), 2, ("tau", "1 or more")),
        (("a", "--k", "0"), 2, ("k (hesitating steps in a row)",)),
        (("a", "--n", "-1"), 2, ("n (priming steps)",)),
        (("a", "--m", "-1"), 2, ("m (rectification steps)",)),
        (("a", "--method", "specreason", "--accept", "12"), 2, ("between 0 and 9",)),
        (("a", "--temperature", "-1"), 2, ("temperature",)),
        (("a", "--top-p", "0"), 2, ("top_p",)),
        (("a", "--thinking-tokens", "0"), 2, ("thinking tokens",)),
        (("a", "--seed", "-1"), 2, ("--seed",)),
        (("a", "--rho", "high"), 2, ("--rho", "--help")),
        (("a", "--direction", "up"), 2, ("--direction",)),
        (("a", "--method", "guess"), 2, ("trigreason",)),
        (("a", "--frobnicate"), 2, ("--frobnicate",)),
        (("a", "--trace", "/nowhere/at/all"), 2, ("no folder /nowhere/at",)),
        (("a", "--trace", "/"), 2, ("is a folder",)),
        (("what", "is", "it?"), 2, ("in quotes: trigreason solve 'what is it?'",)),
        (("a", "--method", "trigreson"), 2, ("did you mean trigreason?",)),
        (("a", "--srm", SRM), 2, ("needs the LRM as well", "--lrm")),
        (("a", "--lrm", LRM), 2, ("needs the SRM as well", "--srm")),
        (("a", "--srm", SRM, "--lrm", "/nowhere"), 1, ("/nowhere", "Check the path")),
        (("a", "--srm", SRM, "--lrm", __file__), 1, ("is no GGUF file",)),
        (("a", "--srm", SRM, "--lrm", "http://127.0.0.1:9"), 1, ("Is the server running",)),
        (("a", "--srm", SRM, "--lrm", "host:9"), 1, ("is no file", " http://host:9")),
        (("a", "--srm", SRM, "--lrm", "a/b@h.io:9/v1"), 1, (" a/b@http://h.io:9/v1",)),
    ],
)
def test_mistakes_are_told_in_one_line(
    command: Command, flags: tuple[str, ...], code: int, told: tuple[str, ...]
) -> None:
    finished = command("solve", *flags)
    finished.check_complaint(code, *told)
    assert finished.out == ""


@pytest.mark.slow
@pytest.mark.parametrize("flags", [("--quiet",), ("--json",), ()])
def test_the_bundled_pair_says_what_it_cannot_do(command: Command, flags: tuple[str, ...]) -> None:
    asked = command("solve", "Who are you?", "--thinking-tokens", "8", *flags)
    assert asked.err.count("seven kinds of puzzles") == 1
    assert "seven kinds" not in asked.out
    assert "seven kinds" not in command("solve", QUESTION, *flags).err


def test_a_question_beyond_the_context(command: Command) -> None:
    many = "I have " + "a cat, " * 2000 + "and a dog. How many animals do I have?"
    finished = command("solve", many, "--json")
    finished.check_complaint(1, "do not fit into the context", "Ask a shorter question")
    error = finished.json["error"]
    assert error["kind"] == "ContextTooLong"
    assert finished.err == f"trigreason: {error['message']}\n"
    assert error["advice"] in error["message"]
    assert finished.json["trace"]["steps"] == []


def test_json_says_why_there_is_no_run(command: Command, tmp_path: Path) -> None:
    places = ("--srm", SRM, "--lrm", "http://127.0.0.1:9")
    finished = command("solve", QUESTION, "--json", *places)
    finished.check_complaint(1, "Is the server running")
    told = finished.json
    assert set(told) == {"error"}
    assert told["error"]["kind"] == "EngineUnreachable"
    assert told["error"]["transient"] is True
    missing = command("solve", QUESTION, "--json", "--config", str(tmp_path / "none.toml"))
    assert missing.json["error"]["kind"] == "ConfigurationError"
    assert missing.json["error"]["problems"][0]["place"] == str(tmp_path / "none.toml")


def test_json_of_a_file_that_cannot_be_written(command: Command) -> None:
    finished = command("solve", QUESTION, "--json", "--trace", "/dev/full")
    finished.check_complaint(1, "No space left")
    assert finished.json["error"]["kind"] == "OSError"
    assert finished.json["trace"]["answer"]


async def test_a_context_that_fills_up_is_said_under_the_answer(
    capsys: pytest.CaptureFixture[str],
) -> None:
    full = Reply(words("So it goes"), then="length")
    async with served(lambda body: full) as model:
        arguments = ("solve", "Why?", "--method", "srm", "--srm", model.url)
        assert await asyncio.to_thread(run, arguments) == 1
    assert "the model's context is full" in capsys.readouterr().out


async def test_a_model_without_logprobs(capsys: pytest.CaptureFixture[str]) -> None:
    async with served(lambda body: say("So it goes."), shape="none") as model:
        arguments = ("solve", "Why?", "--quiet", "--n", "0", "--srm", model.url, "--lrm", model.url)
        assert await asyncio.to_thread(run, arguments) == 1
    *_, line = capsys.readouterr().err.splitlines()
    assert "returns no token probabilities" in line
    assert "rho = 1" in line


async def test_a_run_that_fails_leaves_its_trace(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "partial.json"
    async with served(lambda body: say("First.\n\nSecond.\n\nTh", then="break")) as model:
        arguments = (
            *("solve", "Why?", "--json", "--method", "srm", "--srm", model.url),
            *("--trace", str(file), "--retries", "0"),
        )
        assert await asyncio.to_thread(run, arguments) == 1
    out, err = capsys.readouterr()
    guess, failure = err.splitlines()
    assert guess == GUESS.format("SRM")
    assert failure.startswith("trigreason: ")
    trace = load_trace(file.read_text())
    told = json.loads(out)
    assert told["error"]["kind"] == "EngineUnreachable"
    assert trace_from_json(told) == trace
    assert trace.thinking.startswith("First.\n\nSecond.\n\n")
    assert trace.stop is None


@pytest.mark.parametrize(
    ("flags", "models"),
    [
        (("--method", "srm", "--srm"), "SRM"),
        (("--method", "lrm", "--lrm"), "LRM"),
        (("--lrm", LRM, "--srm"), "SRM"),
    ],
    ids=["srm", "lrm", "pair"],
)
@pytest.mark.parametrize("how", ["--quiet", "--json", None])
async def test_a_guessed_template_is_told_once(
    capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], models: str, how: str | None
) -> None:
    short = ("--thinking-tokens", "40", "--answer-tokens", "4")
    async with served(lambda body: say("So.\n\nIt is.\n</think>\n\nYes.")) as model:
        arguments = ("solve", "Why?", *short, *([how] if how else []), *flags, model.url)
        await asyncio.to_thread(run, arguments)
    out, err = capsys.readouterr()
    line = GUESS.format(models)
    assert err.splitlines().count(line) == (1 if how else 0)
    assert out.count(line.removeprefix("trigreason: ")) == (0 if how else 1)


async def test_a_template_that_is_configured_is_no_guess(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "trigreason.toml"
    async with served(lambda body: say("So.\n</think>\n\nYes.")) as model:
        name, _, url = model.url.partition("@")
        file.write_text(f'[engines.e]\nurl = "{url}"\nmodel = "{name}"\ntemplate = "chatml"\n')
        arguments = ("solve", "Why?", "--quiet", "--method", "srm", "--srm", "e")
        assert await asyncio.to_thread(run, (*arguments, "--config", str(file))) == 0
    assert capsys.readouterr().err == ""


async def test_keys_come_from_the_environment(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIGREASON_SRM_API_KEY", "open-sesame")
    async with served([say("So.\n</think>\n\nYes.")]) as model:
        arguments = ("solve", "Why?", "--quiet", "--method", "srm", "--srm", model.url)
        assert await asyncio.to_thread(run, arguments) == 0
        assert model.keys == {"Bearer open-sesame"}
    assert capsys.readouterr().out == "Yes.\n"


RATED = ("solve", QUESTION, "--method", "rsd", "--thinking-tokens", "200")


@pytest.mark.slow
async def test_a_scorer_by_its_url(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRIGREASON_SCORER_API_KEY", "sk-scorer")
    async with rating(lambda step: float("State" in step), key="sk-scorer") as server:
        given = (*RATED, "--scorer", f"{MODEL}@{server.url}/v1", "--json")
        code = await asyncio.to_thread(run, given)
    out = capsys.readouterr().out
    trace = trace_from_json(json.loads(out))
    assert code == int(trace.stop is StopReason.TRUNCATED)
    assert "sk-scorer" not in out
    assert trace.scorer is not None
    assert (trace.scorer.model, len(trace.scorer.requests)) == (MODEL, len(server.bodies))
    totals = json.loads(out)["trace"]["totals"]["scorer"]
    assert totals["prompt_tokens"] == trace.scorer.prompt_tokens
    srm = [step for step in trace.steps if step.author is Author.SRM]
    whole = [step for step in srm if step.end is not StepEnd.CUT_OFF and step.text.strip()]
    assert [step.reward for step in whole] == [float("State" in step.text) for step in whole]
    check_replay(trace)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ((), ("RSD needs a scorer", "[pairs.NAME.scorer]", "--scorer URL")),
        (("--scorer", "prm"), ("--scorer", "'prm' is no URL")),
        (("--scorer", "http://"), ("--scorer", "must be a URL")),
        (("--scorer", "http://127.0.0.1:9", "--delta", "1.5"), ("delta (a reward)", "1.5")),
    ],
)
def test_a_scorer_that_is_missing_or_none(
    command: Command, more: tuple[str, ...], told: tuple[str, ...]
) -> None:
    answer = command(*RATED, *more)
    answer.check_complaint(1 if "http://" in more else 2, *told)
