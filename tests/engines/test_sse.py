"""Server-sent events: the same payloads, however the bytes arrive."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigreason.engines.sse import LAST, EventLines, Unframed

RECORDED = (
    ": keep-alive\n\n"
    'data: {"choices":[{"text":"Wait","index":0}]}\n\n'
    "event: message\r\nid: 7\r\n"
    'data: {"choices":[{"text":"😀 é 漢"}]}\r\n\r\n'
    ": ping\n"
    'data:{"choices":[{"text":"\\n\\n"}]}\n\n\n'
    "data: [DONE]\n\n"
).encode()

PAYLOADS = [
    b'{"choices":[{"text":"Wait","index":0}]}',
    '{"choices":[{"text":"😀 é 漢"}]}'.encode(),
    b'{"choices":[{"text":"\\n\\n"}]}',
    b"[DONE]",
]


def payloads(*chunks: bytes) -> list[bytes]:
    lines = EventLines()
    return [payload for chunk in (*chunks, LAST) for payload in lines.feed(chunk)]


@given(st.lists(st.integers(0, len(RECORDED)), max_size=30).map(sorted))
def test_any_chunking_gives_the_same_payloads(cuts: list[int]) -> None:
    edges = [0, *cuts, len(RECORDED)]
    chunks = [RECORDED[start:end] for start, end in pairwise(edges)]
    assert payloads(*chunks) == PAYLOADS


def test_byte_by_byte() -> None:
    assert payloads(*(bytes([byte]) for byte in RECORDED)) == PAYLOADS


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"", []),
        (b"\n\n\r\n", []),
        (b": comment\n:\n", []),
        (b": keep-alive\n\n: OPENROUTER PROCESSING\n\ndata: a\n\n", [b"a"]),
        (b"data:\n\ndata: \r\n\r\ndata: a\n\n", [b"a"]),
        (b"event: error\r\ndata: a\r\n\r\n", [b"a"]),
        (b"data: \xff\xfe\n", [b"\xff\xfe"]),
        (b"event: ping\nretry: 10\n\n", []),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
        (b"data:a\n", [b"a"]),
        (b"database: x\n", [b"database: x"]),
        (b"data: no newline at the end", [b"no newline at the end"]),
        (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
        (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
        (b"data\n\ndata: a\n\nid\n\n", [b"a"]),
        (b'data: {"a":\ndata: 1}\n\n', [b'{"a":\n 1}']),
        (b'data: {"a": 1}\ndata: {"b": 2}\ndata: [DONE]\n', [b'{"a": 1}', b'{"b": 2}', b"[DONE]"]),
        (b'{\n  "error": "x"\n}\n', [b'{\n  "error": "x"\n}']),
        (b"data: a\n\nda", [b"a"]),
    ],
)
def test_lines(stream: bytes, expected: list[bytes]) -> None:
    assert payloads(stream) == expected


def test_an_unfinished_line_waits_for_its_end() -> None:
    lines = EventLines()
    assert list(lines.feed(b'data: {"a":\xf0\x9f')) == []
    assert list(lines.feed(b'\x98\x80"}\n\n')) == ['{"a":😀"}'.encode()]


def test_what_is_in_no_field_is_told_apart() -> None:
    [page, data] = payloads(b"<html>\n\ndata: a\n\n")
    assert (isinstance(page, Unframed), isinstance(data, Unframed)) == (True, False)
