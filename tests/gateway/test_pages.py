"""Web pages as clients: which may ask, what they can read, and the page that the gateway has."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.gateway.client import CHAT, Client, Told, asked_gateway
from tests.gateway.serving import chat, configured
from trigreason.gateway.pages import readable_by_pages
from trigreason.gateway.reference import reference_page
from trigreason.gateway.server import opened_service
from trigreason.gateway.storage import Storage

pytestmark = pytest.mark.slow

SDK_HEADERS = "authorization,content-type,x-api-key,anthropic-version,x-stainless-lang"
OWN = ("http://localhost:5173", "https://127.0.0.1", "http://[::1]:80")
FOREIGN = ("https://evil.example", "https://localhost.evil.example", "http://127.0.0.10", "null")
CONFIGURED = ("https://chat.example.com", "tauri://localhost")


async def preflight(client: Client, origin: str, **more: str) -> Told:
    asked = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": SDK_HEADERS,
    }
    return await client.send("OPTIONS", CHAT, headers=asked | more)


def is_let_in(told: Told, origin: str) -> bool:
    return told.headers.get("access-control-allow-origin") in (origin, "*")


@pytest.mark.parametrize(
    ("toml", "let_in", "kept_out"),
    [
        ("", OWN, (*FOREIGN, *CONFIGURED)),
        (
            f"origins = {list(CONFIGURED)}",
            CONFIGURED,
            (*OWN, *FOREIGN, "https://chat.example.com:8"),
        ),
        ("origins = []", (), (*OWN, *FOREIGN)),
    ],
)
async def test_origins(
    tmp_path: Path, toml: str, let_in: tuple[str, ...], kept_out: tuple[str, ...]
) -> None:
    async with asked_gateway(tmp_path, f"[gateway]\n{toml}\n", wait=False) as client:
        for origin in (*let_in, *kept_out):
            expected = origin in let_in
            before = await preflight(client, origin)
            assert (before.status == 200) is expected, origin
            whole = await client.send("GET", "/v1/models", headers={"origin": origin})
            failed = await client.send("POST", CHAT, json={}, headers={"origin": origin})
            for told in (before, whole, failed):
                assert is_let_in(told, origin) is expected, origin
                assert "origin" in told.headers["vary"].lower()
                assert "access-control-allow-credentials" not in told.headers
            if expected:
                allowed = before.headers["access-control-allow-headers"].split(",")
                assert set(SDK_HEADERS.split(",")) <= set(allowed)
                assert "POST" in before.headers["access-control-allow-methods"]
                assert failed.headers["access-control-expose-headers"] == "*"


async def test_a_private_network_is_open_to_configured_pages_only(tmp_path: Path) -> None:
    private = {"access-control-request-private-network": "true"}
    for toml, origin, expected in (
        ("", OWN[0], False),
        (f'origins = ["{CONFIGURED[0]}"]', CONFIGURED[0], True),
        (f'origins = ["{CONFIGURED[0]}"]', FOREIGN[0], False),
    ):
        async with asked_gateway(tmp_path, f"[gateway]\n{toml}\n", wait=False) as client:
            told = await preflight(client, origin, **private)
            assert (told.status == 200) is expected
            if told.status == 200:
                assert told.headers["access-control-allow-private-network"] == "true"


async def no_app(*_: Any) -> None:
    raise AssertionError("asked nobody")


@pytest.mark.parametrize(
    ("origins", "is_local", "anybody"),
    [(None, True, False), (None, False, True), (("*",), True, True), ((), False, False)],
)
def test_all_pages_may_ask_where_others_need_a_key(
    origins: tuple[str, ...] | None, is_local: bool, anybody: bool
) -> None:
    pages = readable_by_pages(no_app, origins, is_local=is_local)
    assert pages.is_allowed_origin("https://evil.example") is anybody
    assert (
        pages.is_allowed_origin("http://localhost:3000") is (is_local and origins is None)
        or anybody
    )


async def test_all_pages_cannot_be_let_in_without_keys(tmp_path: Path) -> None:
    configuration = configured(tmp_path, '[gateway]\norigins = ["*"]\n')
    with pytest.raises(ValueError, match="trigreason keys create"):
        async with opened_service(configuration, {}, host="127.0.0.1"):
            raise AssertionError("every page could use it")
    storage = await Storage.open(str(tmp_path / "db"), traces_days=1)
    await storage.create_key("ann")
    await storage.close()
    async with opened_service(configuration, {}, host="127.0.0.1") as service:
        assert service.settings.origins == ("*",)


IDS = {
    "abc-1": True,
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01": True,
    "x" * 128: True,
    "x" * 129: False,
    "two words": False,
    'a"b': False,
    "é": False,
    "": False,
}


async def test_every_response_has_an_id(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with asked_gateway(tmp_path) as client:
        for sent, is_kept in IDS.items():
            told = await client.send("GET", "/healthz", headers={"x-request-id": sent})
            assert (told.headers["x-request-id"] == sent) is is_kept, sent
            if not is_kept:
                assert re.fullmatch("req_[0-9a-f]{24}", told.headers["x-request-id"])
        paths = [("GET", "/nothing", 404), ("POST", CHAT, 400), ("OPTIONS", "/healthz", 405)]
        seen = set()
        for method, path, status in paths:
            told = await client.send(method, path)
            assert told.status == status
            seen.add(told.headers["x-request-id"])
        seen |= {(await preflight(client, OWN[0])).headers["x-request-id"]}
        assert len(seen) == 4

        def broken(*_: object) -> None:
            raise RuntimeError("broken")

        monkeypatch.setattr(type(client.service.telemetry), "metrics_page", broken)
        told = await client.send("GET", "/metrics", headers={"origin": OWN[0]})
        assert (told.status, told.error["code"]) == (500, "internal_error")
        assert re.fullmatch("req_[0-9a-f]{24}", told.headers["x-request-id"])
        assert is_let_in(told, OWN[0]), "pages can read of a fault, too"

        caplog.clear()
        with caplog.at_level("INFO", "trigreason.gateway"):
            for stream in (False, True):
                body = chat("?", stream=stream, max_tokens=4)
                headers = {"x-request-id": f"mine-{stream}"}
                told = await client.send("POST", CHAT, json=body, headers=headers)
                assert told.headers["x-request-id"] == f"mine-{stream}"
            await client.send("POST", CHAT, json={}, headers={"x-request-id": "refused"})
        facts = [vars(each)["trigreason_facts"] for each in caplog.records]
        assert [each["request_id"] for each in facts] == ["mine-False", "mine-True", "refused"]


ATTRIBUTES = {"lang", "charset", "name", "content", "class", "id", "href"}
TAGS = {
    *("html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "small", "p", "a", "b"),
    *("nav", "ul", "li", "span", "code", "pre", "details", "summary", "table", "tr", "td"),
}


class Tags(HTMLParser):
    """The tags of a page, which must be closed in order, and the links in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def values(self, name: str) -> list[str | None]:
        return [value for key, value in self.attributes if key == name]


async def test_the_page_loads_nothing_and_names_every_route(tmp_path: Path) -> None:
    async with asked_gateway(tmp_path, wait=False) as client:
        told = await client.get("/docs")
        document = (await client.get("/openapi.json")).body
    assert told.headers["content-type"] == "text/html; charset=utf-8"
    page = Tags(told.text)
    assert page.names.isdisjoint({"script", "link", "img", "iframe", "form", "base"})
    assert {key for key, _ in page.attributes} <= ATTRIBUTES
    anchors = {f"#{value}" for value in page.values("id")}
    assert set(page.values("href")) - {"openapi.json"} <= anchors
    style = told.text.partition("<style>")[2].partition("</style>")[0]
    hashed = b64encode(sha256(style.encode()).digest()).decode()
    policy = told.headers["content-security-policy"]
    assert policy.startswith(f"default-src 'none'; style-src 'sha256-{hashed}';")
    for path in document["paths"]:
        assert told.text.count(f"<code>{path}</code></a>") == 1, path
    for field in ("reasoning_effort", "prompt_cache_key", "rho"):
        assert f"<code>{field}</code>" in told.text
    assert f"curl {client.url}{CHAT}" in told.text


@given(st.text("<>\"'&/=`! ax"))
@example("<img src=x onerror=y>")
@example('"><script>')
@example("``<script>``")
def test_nothing_in_a_document_becomes_markup(text: str) -> None:
    field = {"type": text, "description": text, "enum": [text]}
    schema = {"description": text, "properties": {text: field}, "examples": [text]}
    document = {
        "info": {"title": text, "version": text, "description": text},
        "paths": {
            f"/{text}": {
                "post": {
                    "description": text,
                    "requestBody": {"content": {text: {"schema": {"$ref": f"#/{text}"}}}},
                    "responses": {text: {"description": text}},
                }
            }
        },
        "components": {"schemas": {text: schema}},
    }
    page = Tags(reference_page(document, text))
    assert page.names <= TAGS
    assert {key for key, _ in page.attributes} <= ATTRIBUTES
