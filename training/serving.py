"""llama.cpp in this process, asked for greedy completions: the evaluation sees what a user's server
would show.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.error import URLError
from urllib.request import Request, urlopen

import xllamacpp

CONTEXT = 1024
ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Generated:
    """One completion: its tokens' texts with their log-probabilities in nats.

    The end of the turn is not among them. `first_choices` are the likeliest first tokens.
    """

    text: str
    tokens: tuple[tuple[str, float], ...]
    first_choices: dict[str, float]


class Llama:
    """A GGUF file served on a local port, `slots` prompts at a time."""

    def __init__(self, path: Path, slots: int = 8) -> None:
        parameters = xllamacpp.CommonParams()
        parameters.model.path = str(path)
        parameters.n_parallel = slots
        parameters.n_ctx = CONTEXT * slots
        parameters.cpuparams.n_threads = 1
        parameters.cpuparams_batch.n_threads = 1
        parameters.warmup = False
        parameters.verbosity = 0
        self.server = xllamacpp.Server(parameters)
        self.pool = ThreadPoolExecutor(slots)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.pool.shutdown()
        del self.server

    def complete(
        self, prompts: Iterable[str], max_tokens: int = CONTEXT, choices: int = 1
    ) -> list[Generated]:
        """The greedy completion of each prompt, in order, with `choices` likeliest first tokens."""
        bodies = [
            {
                "prompt": prompt,
                "n_predict": max_tokens,
                "temperature": 0.0,
                "n_probs": choices,
            }
            for prompt in prompts
        ]
        return list(self.pool.map(self._complete, bodies))

    def _complete(self, body: dict[str, Any]) -> Generated:
        answer = self._post("/completion", body)
        entries = answer["completion_probabilities"]
        first = (
            {top["token"]: top["logprob"] for top in entries[0]["top_logprobs"]} if entries else {}
        )
        tokens = tuple((entry["token"], entry["logprob"]) for entry in entries if entry["token"])
        return Generated(answer["content"], tokens, first)

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The answer's JSON; a connection that the server drops is tried again."""
        request = Request(
            self.server.listening_address + path,
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        for attempt in range(ATTEMPTS):
            try:
                with urlopen(request, timeout=120) as response:
                    return json.load(response)  # type: ignore[no-any-return]
            except (URLError, ConnectionError):
                if attempt == ATTEMPTS - 1:
                    raise
                time.sleep(0.1)
        raise AssertionError("unreachable")
