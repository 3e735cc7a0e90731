"""A double: a model server that has all it will say prepared, and says it at full speed.

    python -m bench.fast_upstream

prints its address, and ends when its standard input does. It lists one model as vLLM does and
writes one text, each token an event of its own, streams taking turns: on ``/v1/completions`` from
where the prompt ends, with logprobs and usage in every event; on ``/v1/chat/completions`` from the
beginning, as servers that part the reasoning from the answer do. Nothing is computed but where a
prompt ends, so that what is measured is whoever stands before it.

The thinking is numbered steps of some twenty tokens. With the default thresholds the LRM writes
the first twenty; of those after them, two in seven hesitate, which asks for the LRM, and one is
written with certainty, which is offloaded.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from typing import Any, cast

import msgspec
import uvloop

MODEL = "fast"
STEPS = 30
CONTEXT_TOKENS = 131_072

THINK = "<think>\n"
END_OF_THINKING = "</think>"
ANSWER = "So it is " + "shown above, step by step, that it is as it is, " * 3 + "q.e.d."

SURE, UNSURE = -0.001, -0.4
"""Logprobs in nats. In a sure step all tokens are, in another one two of three."""

_ENDING = b"data: [DONE]\n\n"
_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)


def written_steps(count: int) -> list[str]:
    """The thinking's steps, each with its blank line."""
    return [f"Step {number}: {_sentence(number)}\n\n" for number in range(1, count + 1)]


def _sentence(number: int) -> str:
    if number % 7 in (4, 5):
        return "wait, maybe this ought to be looked at once more before it is taken to be so."
    return "from what stands above it follows that the next part is as it has to be now."


class Prepared:
    """The text, and every event that may be sent of it.

    ``tokens`` are those that a client gets to see, of thinking and answer.
    """

    def __init__(self, steps: int = STEPS) -> None:
        parts = written_steps(steps)
        thought = [
            (piece, _logprob(number, index))
            for number, part in enumerate(parts, 1)
            for index, piece in enumerate(pieces(part))
        ]
        answered = [(piece, UNSURE) for piece in pieces(ANSWER)]
        self.thinking, self.answer = "".join(parts), ANSWER
        self.tokens = len(thought) + len(answered)
        every = [*thought, (END_OF_THINKING, SURE), ("\n\n", SURE), *answered]
        lengths = [len(text) for text, _ in every]
        self._places = {
            length: index for index, length in enumerate(accumulate(lengths, initial=0))
        }
        self._begin_of_answer = len(thought) + 2
        self.completion = [_completion(*each) for each in every]
        self.chat = [
            *(_chunk(_chat({"reasoning_content": text})) for text, _ in thought),
            *(_chunk(_chat({"content": text})) for text, _ in answered),
        ]

    def place(self, prompt: str) -> int | None:
        """The token that a prompt goes on with; None where it ends within one.

        Where somebody else closed the thinking the answer begins.
        """
        written = prompt.rpartition(THINK)[2]
        _, closed, answer = written.partition(END_OF_THINKING)
        if closed and len(written) not in self._places:
            return None if answer.strip() else self._begin_of_answer
        return self._places.get(len(written))


def pieces(text: str) -> list[str]:
    """A text as tokens: words with the space before them, signs, blank lines."""
    return re.findall(r"\n+| ?\w+|[^\w\s]", text)


def _logprob(number: int, index: int) -> float:
    return SURE if number % 7 == 2 or index % 3 else UNSURE


def _completion(text: str, logprob: float) -> tuple[bytes, bytes]:
    """An event before and behind its count of completion tokens, which has six places."""
    choice = {
        "index": 0,
        "text": text,
        "logprobs": {
            "text_offset": [0],
            "token_logprobs": [logprob],
            "tokens": [text],
            "top_logprobs": [{text: logprob}],
        },
        "finish_reason": None,
        "stop_reason": None,
    }
    told = _event(_completed(choices=[choice], usage=_usage(111_111)))
    before, count, behind = _chunk(told).partition(b"111111")
    assert count, "the usage stands in the event"
    return before, behind


def _completed(**fields: Any) -> dict[str, Any]:
    return {"id": "cmpl-1", "object": "text_completion", "created": 1, "model": MODEL} | fields


def _chat(delta: dict[str, str], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return _event(_chatted(choices=[choice]))


def _chatted(**fields: Any) -> dict[str, Any]:
    kind = "chat.completion.chunk"
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": MODEL} | fields


def _usage(completion: int, prompt: int = 100) -> dict[str, int]:
    total = prompt + completion
    return {"completion_tokens": completion, "prompt_tokens": prompt, "total_tokens": total}


def _event(value: Any) -> bytes:
    return b"data: " + msgspec.json.encode(value) + b"\n\n"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


class _Asked(msgspec.Struct):
    prompt: str = ""
    max_tokens: int = 2**20


class Connection(asyncio.Protocol):
    """One client: requests one after the other, each answered in a stream."""

    def __init__(self, prepared: Prepared) -> None:
        self._prepared = prepared
        self._loop = asyncio.get_running_loop()
        self._received = b""
        self._events: Iterator[bytes] | None = None
        self._is_paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without saying so

    def connection_lost(self, exc: Exception | None) -> None:
        self._events = None

    def pause_writing(self) -> None:
        self._is_paused = True

    def resume_writing(self) -> None:
        self._is_paused = False
        self._go_on()

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, ended, rest = self._received.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        size = int(length[1]) if length else 0
        if ended and len(rest) >= size:
            self._received = rest[size:]
            self._answer(head.split(b" ", 2)[1].partition(b"?")[0], rest[:size])

    def _answer(self, path: bytes, body: bytes) -> None:
        match path:
            case b"/v1/models":
                listed = {"id": MODEL, "owned_by": "vllm", "max_model_len": CONTEXT_TOKENS}
                self._tell(200, {"object": "list", "data": [listed | {"object": "model"}]})
            case b"/v1/completions":
                asked = msgspec.json.decode(body, type=_Asked)
                place = self._prepared.place(asked.prompt)
                if place is None:
                    self._tell(400, {"error": {"message": "the prompt ends inside a token"}})
                else:
                    self._begin(self._completion(place, asked.max_tokens))
            case b"/v1/chat/completions":
                self._begin(self._chat(msgspec.json.decode(body, type=_Asked).max_tokens))
            case _:
                self._tell(404, {"error": {"message": "there is nothing here"}})

    def _tell(self, status: int, value: Any) -> None:
        data = msgspec.json.encode(value)
        head = b"HTTP/1.1 %d Told\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        self._transport.write(head % (status, len(data)) + data)

    def _begin(self, events: Iterator[bytes]) -> None:
        self._transport.write(_HEAD)
        self._events = events
        self._go_on()

    def _go_on(self) -> None:
        """Write the next event, and have the other streams write theirs before one more."""
        if self._events is None or self._is_paused:
            return
        data = next(self._events, None)
        if data is None:
            self._events = None
            return
        self._transport.write(data)
        self._loop.call_soon(self._go_on)

    def _completion(self, place: int, room: int) -> Iterator[bytes]:
        told = self._prepared.completion[place : place + room]
        for count, (before, behind) in enumerate(told, 1):
            yield b"%b%6d%b" % (before, count, behind)
        is_cut = place + room < len(self._prepared.completion)
        choice = {"index": 0, "text": "", "logprobs": None, "stop_reason": None}
        choice["finish_reason"] = "length" if is_cut else "stop"
        yield _chunk(_event(_completed(choices=[choice])))
        yield self._last(_completed(choices=[], usage=_usage(len(told))))

    def _chat(self, room: int) -> Iterator[bytes]:
        told = self._prepared.chat[:room]
        yield from told
        yield _chunk(_chat({}, "length" if len(told) < self._prepared.tokens else "stop"))
        yield self._last(_chatted(choices=[], usage=_usage(len(told))))

    @staticmethod
    def _last(value: Any) -> bytes:
        return _chunk(_event(value) + _ENDING) + b"0\r\n\r\n"


@contextmanager
def fast_upstream(steps: int = STEPS) -> Iterator[str]:
    """The address, up to ``/v1``, of one in a process of its own, which ends with the context."""
    command = [sys.executable, "-m", "bench.fast_upstream", "--steps", str(steps)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


async def serve(steps: int) -> None:
    """Serve on a free port of the loopback interface until standard input ends."""
    prepared = Prepared(steps)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(prepared), "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    server.close()


def main() -> None:
    arguments = ArgumentParser(description=__doc__)
    arguments.add_argument("--steps", type=int, default=STEPS, help="of thinking")
    uvloop.run(serve(arguments.parse_args().steps))


if __name__ == "__main__":
    main()
