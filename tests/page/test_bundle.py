"""The page's files: nothing in them is loaded from elsewhere, and no text becomes markup."""

from __future__ import annotations

import re

import pytest

from trigreason.page.bundle import ASSETS, HEADERS, STYLES, asset
from trigreason.reasoning import Thresholds, Trigger
from trigreason.reasoning.field_docs import field_doc
from trigreason.reasoning.thresholds import UNWRITTEN

FILES = sorted(file.name for file in ASSETS.iterdir())
OWN_MODULES = [name for name in FILES if name.endswith(".js") and name != "temml.js"]
MARKUP = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|DOMParser"
    r"|createContextualFragment|setHTMLUnsafe|srcdoc|javascript:"
)
LOADED = re.compile(r"url\(|@import|https?://(?!www\.w3\.org/)")


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_served_with_its_kind(name: str) -> None:
    found = asset(name)
    assert found is not None
    assert found.body == (ASSETS / name).read_bytes()
    assert re.fullmatch(r'"[0-9a-f]{32}"', found.tag)
    kind = {"css": "text/css", "html": "text/html", "js": "text/javascript"}
    assert found.kind.startswith(kind.get(name.rsplit(".")[-1], ("text/plain", "image/svg+xml")))


@pytest.mark.parametrize("name", ["", "..", "bundle.py", "../bundle.py", "main.js/", "MAIN.JS"])
def test_nothing_else_is_served(name: str) -> None:
    assert asset(name) is None


@pytest.mark.parametrize("name", [*OWN_MODULES, "temml.js"])
def test_no_module_makes_markup_from_text(name: str) -> None:
    assert not MARKUP.search((ASSETS / name).read_text())


@pytest.mark.parametrize("name", [name for name in FILES if name != "temml.LICENSE"])
def test_nothing_is_loaded_from_elsewhere(name: str) -> None:
    assert not LOADED.search((ASSETS / name).read_text())


def test_the_served_page_has_no_inline_script_or_style() -> None:
    page = (ASSETS / "index.html").read_text()
    assert not re.search(r"<style|\sstyle=|\son\w+=", page)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", page))
    told = re.findall(r'(?:href|src)="/page/([^"]+)"', page)
    assert set(told) == {"icon.svg", "main.js", *STYLES}


def test_the_policy_allows_the_pages_own_files_alone() -> None:
    policy = HEADERS["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; ")
    for never in ("unsafe", "data:", "blob:", "*", "http"):
        assert never not in policy
    assert "require-trusted-types-for 'script'" in policy


@pytest.mark.parametrize("name", OWN_MODULES)
def test_modules_are_small_and_import_each_other(name: str) -> None:
    source = (ASSETS / name).read_text()
    assert len(source.splitlines()) <= 300
    assert source.startswith("/**"), "a module says what it is for"
    for line in source.splitlines():
        if line.startswith("import"):
            found = re.fullmatch(r'import (?:\w+|\{.+\}) from "\./([\w.-]+)";', line)
            assert found, line
            assert found[1] in FILES


def test_the_page_has_a_name_for_every_trigger() -> None:
    words = (ASSETS / "words.js").read_text()
    named = re.findall(r"^  (\w+): \"[A-Z]", words, re.MULTILINE)
    assert set(named) == {str(trigger) for trigger in Trigger}


def test_the_page_knows_what_a_trace_leaves_out() -> None:
    fields = (ASSETS / "fields.js").read_text()
    told = re.search(r"UNWRITTEN = \{ (.*) \}", fields)
    assert told
    assert told[1] == ", ".join(f"{name}: {value:g}" for name, value in UNWRITTEN.items())


def test_the_page_moves_thresholds_within_their_bounds() -> None:
    fields = (ASSETS / "fields.js").read_text()
    rows = re.findall(r"^  (\w+): \[.*, ([\d.]+), ([\d.]+), [\d.]+\],$", fields, re.MULTILINE)
    assert {"n", "rho", "tau", "k", "m"} < {name for name, _, _ in rows}
    for name, least, most in rows:
        bounds = field_doc(Thresholds, name).bounds
        assert bounds is not None
        assert float(least) == bounds.least
        assert bounds.most is None or float(most) == bounds.most
