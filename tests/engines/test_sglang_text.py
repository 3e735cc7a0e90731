"""Half a character at the end of SGLang's streams."""

from __future__ import annotations

import pytest

from trigreason.engines.base import Finish
from trigreason.engines.sglang_text import HalfCharacters
from trigreason.reasoning import Token

LENGTH, STOP = Finish.LENGTH, Finish.STOP


@pytest.mark.parametrize(
    ("arrivals", "finish", "text"),
    [
        ([["a", "b"], ["c"]], LENGTH, "abc"),
        ([["a", "\ufffd"]], LENGTH, "a"),
        ([["a\ufffd"], [""]], LENGTH, "a"),
        ([["\ufffd"]], LENGTH, ""),
        ([["a\ufffd"], [""]], STOP, "a\ufffd"),
        ([["a\ufffd"], [], ["", "b"]], LENGTH, "a\ufffdb"),
        ([["a\ufffdb"], ["\ufffd"], ["c\ufffd"]], LENGTH, "a\ufffdb\ufffdc"),
        ([[]], LENGTH, ""),
    ],
)
def test_it_is_not_said(arrivals: list[list[str]], finish: Finish, text: str) -> None:
    halves = HalfCharacters()
    said = []
    for arrival in arrivals:
        tokens = [Token(each, -0.5) for each in arrival]
        whole = halves.whole(tokens)
        assert [token.logprob for token in whole] == [token.logprob for token in tokens]
        said += whole
    said += halves.rest(finish)
    assert "".join(token.text for token in said) == text
