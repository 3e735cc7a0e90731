"""What the README shows of the gateway works as pasted, but for the port."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.gateway.clients.conftest import MISSING
from tests.gateway.serving import chunks
from tests.servers import ROOT

pytestmark = pytest.mark.slow
SHOWN = "http://127.0.0.1:8000/v1"
README = (ROOT / "README.md").read_text(encoding="utf-8")
SECTION = README[README.index("## Serve it") :]


def shown(language: str, word: str) -> str:
    """The first example of a language that has a word in it."""
    examples: list[str] = re.findall(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)
    return next(each for each in examples if word in each)


def test_the_curl_example(url: str) -> None:
    command = shown("sh", "curl").replace(SHOWN, url)
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    last = chunks(done.stdout.splitlines())[-1]
    assert last["choices"][0]["finish_reason"] == "stop"
    assert "smt" in last["trigreason"]


def test_the_python_example(url: str) -> None:
    pytest.importorskip("openai", reason=MISSING)
    example = shown("python", "OpenAI").replace(SHOWN, url)
    done = subprocess.run(
        [sys.executable, "-c", example], capture_output=True, text=True, check=True
    )
    answer, account = done.stdout.splitlines()
    assert "\\boxed{" in answer
    assert "'handovers'" in account
