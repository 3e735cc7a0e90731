"""The gateway against requests made up from its own OpenAPI document: none may be its failure.

TRIGREASON_FUZZ_SECONDS says for how long; 300 is what a release is tested with.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.gateway.serving import GatewayProcess
from tests.servers import ROOT
from trigreason.gateway.exchange import Api

pytestmark = pytest.mark.slow
LEAST_ANSWERED = 10
SECONDS = int(os.environ.get("TRIGREASON_FUZZ_SECONDS", "20"))
GRACE = 120.0
"""For the start, and for the last of the requests (seconds)."""


def test_no_request_makes_the_gateway_fail(tmp_path: Path) -> None:
    pytest.importorskip("schemathesis", reason="not installed; `uv sync --group clients` does it")
    gateway = GatewayProcess(tmp_path)
    try:
        gateway.wait_until_ready()
        ran = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "run", f"{gateway.url}/openapi.json"),
                *("--checks", "not_a_server_error", "--max-time", str(SECONDS)),
                *("--request-timeout", "30", "--phases", "coverage,fuzzing", "--warnings", "off"),
            ],
            cwd=tmp_path,  # it leaves a folder behind
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "SCHEMATHESIS_HOOKS": "tests.gateway.fuzzing",
            },
            capture_output=True,
            text=True,
            timeout=SECONDS + GRACE,
        )
        print(ran.stdout)
        assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}\n{gateway.logged()[-4000:]}"
        answered = finished(gateway.url)
        print(f"requests that were answered by the pair: {answered}")
        assert answered[Api.MESSAGES], "no request in Anthropic's form reached a model"
        assert sum(answered.values()) >= LEAST_ANSWERED, "hardly a request reached a model"
    finally:
        gateway.stop()


def finished(url: str) -> Counter[str]:
    """How many requests the gateway has answered, by API."""
    with urlopen(f"{url}/metrics") as page:
        lines = page.read().decode().splitlines()
    counts: Counter[str] = Counter()
    for line in lines:
        if line.startswith("trigreason_requests_total{") and 'outcome="finished"' in line:
            api = line.partition('api="')[2].partition('"')[0]
            counts[api] += round(float(line.rpartition(" ")[2]))
    return counts
