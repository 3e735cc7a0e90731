"""The way to a server."""

from __future__ import annotations

import pytest

from trigreason.engines.proxies import proxy_for


@pytest.fixture(autouse=True)
def behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HTTP_PROXY", "http://plain:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://safe:2")
    monkeypatch.setenv("NO_PROXY", "inside.example,10.1.2.3")


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://llm.example/v1", "http://plain:1"),
        ("https://llm.example/v1", "http://safe:2"),
        ("https://gpu.inside.example/v1", None),
        ("http://10.1.2.3:8000/v1", None),
        ("http://127.0.0.1:8000/v1", None),
        ("http://[::1]:8000", None),
        ("http://localhost:8000", None),
    ],
)
def test_the_way(url: str, proxy: str | None) -> None:
    assert proxy_for(url) == proxy


def test_without_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HTTP_PROXY")
    assert proxy_for("http://llm.example/v1") is None
