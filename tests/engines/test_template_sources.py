"""Where templates are read from: model folders, GGUF files, Jinja files and names."""

from __future__ import annotations

import contextlib
import json
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trigreason.engines.base import EngineRefused
from trigreason.engines.gguf import DamagedGguf, read_metadata
from trigreason.engines.template_sources import template_from, told_template
from trigreason.engines.templates import BUILT_IN, ChatTemplate, TemplateError
from trigreason.reasoning import Message

BUNDLED = Path(__file__).parents[2] / "src" / "trigreason" / "bundled"
SAYS_ALL = "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}"
EOS = {"__type": "AddedToken", "content": "</s>", "lstrip": False}
NUMBERS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}


def filled(template: ChatTemplate) -> str:
    return template.render([Message("user", "Why?")], thinking=False)


def folder(at: Path, **files: Any) -> Path:
    """A model folder; ``__`` in a name stands for the dot, and what is no text becomes JSON."""
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (at / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return at


def text(value: str) -> bytes:
    raw = value.encode("utf-8", "surrogateescape")
    return struct.pack("<Q", len(raw)) + raw


def value(kind: int, content: Any) -> bytes:
    if kind == 8:
        return text(content)
    if kind == 9:
        of, items = content
        return struct.pack("<IQ", of, len(items)) + b"".join(value(of, each) for each in items)
    return struct.pack(f"<{NUMBERS[kind]}", content)


def gguf(entries: dict[str, tuple[int, Any]], *, version: int = 3) -> bytes:
    head = b"GGUF" + struct.pack("<IQQ", version, 7, len(entries))
    body = (text(key) + struct.pack("<I", kind) + value(kind, content)
            for key, (kind, content) in entries.items())  # fmt: skip
    return head + b"".join(body)


MODEL: dict[str, tuple[int, Any]] = {
    "general.architecture": (8, "qwen3"),
    "tokenizer.ggml.eos_token_id": (4, 2),
    "tokenizer.ggml.bos_token_id": (4, 1),
    "tokenizer.ggml.scores": (9, (6, [0.0, 1.0, 2.0])),
    "tokenizer.ggml.tokens": (9, (8, ["a", "<s>", "</s>"])),
    "tokenizer.chat_template": (8, SAYS_ALL),
}


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_name(name: str) -> None:
    assert template_from(name) is BUILT_IN[name]


def test_a_path_is_never_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TemplateError, match="chatml: is neither a file"):
        template_from(Path("chatml"))
    Path("chatml").write_text("{{ messages[0].content }}!")
    assert filled(template_from(Path("chatml"))) == "Why?!"
    assert template_from("chatml") is BUILT_IN["chatml"]


@pytest.mark.parametrize("name", ["template.jinja", "template.txt", "template", "思考.jinja"])
def test_a_jinja_file(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text("思{{ messages[0].content }}", encoding="utf-8")
    template = template_from(str(file))
    assert filled(template) == "思Why?"
    assert template.origin == str(file)


@pytest.mark.parametrize(
    ("files", "prompt"),
    [
        ({"tokenizer_config__json": {"chat_template": SAYS_ALL}}, "Why?"),
        ({"tokenizer_config__json": {"chat_template": SAYS_ALL, "eos_token": "</s>"}}, "Why?</s>"),
        ({"tokenizer_config__json": {"chat_template": SAYS_ALL, "eos_token": EOS}}, "Why?</s>"),
        ({"tokenizer_config__json": {"chat_template": SAYS_ALL, "eos_token": None}}, "Why?"),
        ({"tokenizer_config__json": {"chat_template": SAYS_ALL, "bos_token": "<s>"}}, "Why?"),
        ({"tokenizer_config__json": {"chat_template": SAYS_ALL, "bos_token": "<s>",
                                     "add_bos_token": True}}, "Why?"),
        ({"tokenizer_config__json": {"chat_template": SAYS_ALL, "bos_token": EOS,
                                     "add_bos_token": False}}, "</s>Why?"),
        ({"tokenizer_config__json": {"chat_template": SAYS_ALL, "bos_token": None,
                                     "add_bos_token": False}}, "Why?"),
        ({"tokenizer_config__json": {"chat_template": [
            {"name": "tool_use", "template": "{{ tools }}"},
            {"name": "default", "template": SAYS_ALL}]}}, "Why?"),
        ({"tokenizer_config__json": {"chat_template": {"rag": "x", "default": SAYS_ALL}}}, "Why?"),
        ({"chat_template__jinja": "J" + SAYS_ALL}, "JWhy?"),
        ({"chat_template__jinja": "J" + SAYS_ALL,
          "tokenizer_config__json": {"chat_template": SAYS_ALL, "eos_token": EOS}}, "JWhy?</s>"),
        ({"chat_template__json": {"chat_template": SAYS_ALL}}, "Why?"),
        ({"chat_template__json": {"chat_template": SAYS_ALL},
          "tokenizer_config__json": {"eos_token": EOS}}, "Why?</s>"),
        ({"chat_template__json": {"chat_template": "P" + SAYS_ALL},
          "tokenizer_config__json": {"chat_template": SAYS_ALL}}, "Why?"),
    ],
)  # fmt: skip
def test_a_model_folder(tmp_path: Path, files: dict[str, Any], prompt: str) -> None:
    template = template_from(folder(tmp_path, **files))
    assert filled(template) == prompt
    assert template.origin.startswith(str(tmp_path))


def test_the_bundled_pair() -> None:
    template = template_from(BUNDLED / "srm.gguf")
    assert template.eos_token == "<|im_end|>"
    assert filled(template) == "<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n"
    assert template.origin.endswith("srm.gguf")


@pytest.mark.parametrize(
    ("changed", "prompt"),
    [
        ({}, "Why?</s>"),
        ({"tokenizer.ggml.add_bos_token": (7, True)}, "Why?</s>"),
        ({"tokenizer.ggml.add_bos_token": (7, False)}, "<s>Why?</s>"),
        ({"tokenizer.ggml.eos_token_id": (4, 3)}, "Why?"),
        ({"tokenizer.ggml.eos_token_id": (5, -1)}, "Why?"),
        ({"tokenizer.ggml.tokens": (8, "none")}, "Why?"),
    ],
)
def test_a_gguf_file(tmp_path: Path, changed: dict[str, tuple[int, Any]], prompt: str) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(gguf(MODEL | changed) + b"\0" * 100)
    assert filled(template_from(file)) == prompt


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.gguf", gguf({"general.name": (8, "x")}), "holds no chat template (no tokenizer.chat_t"),
        ("a.gguf", gguf(MODEL, version=1), "has GGUF version 1, and only 2 and 3 can be read"),
        ("a.gguf", b"GGUF", "is damaged: it ends within its metadata"),
        ("a.gguf", gguf(MODEL)[:-5], "is damaged: it ends within its metadata"),
        ("a.gguf", gguf({"tokenizer.chat_template": (8, "{% if")}), "template cannot be read: "),
        ("a.jinja", b"{% if", "is no Jinja file: nothing in it is filled in"),
        ("a.jinja", b"{{ x", "the chat template cannot be read: "),
        ("a.jinja", b"\xff\xfe{{", "is no text in UTF-8"),
        ("a.jinja", b"{{ x }}" * 200_000, "is larger than a template can be (1048576 bytes)"),
        ("README.md", b"# A model", "is no Jinja file"),
        ("tokenizer_config.json", b"{}", "is no Jinja file; give the model folder that it lies in"),
    ],
)
def test_a_file_without_a_template(
    tmp_path: Path, name: str, content: bytes, complaint: str
) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(TemplateError) as failed:
        template_from(file)
    assert str(failed.value).startswith(f"{file}: ")
    assert complaint in str(failed.value)
    assert "\n" not in str(failed.value)


@pytest.mark.parametrize(
    ("files", "complaint"),
    [
        ({}, "holds no chat template: no chat_template.jinja, and no chat_template in"),
        ({"tokenizer_config__json": {"eos_token": "</s>"}}, "holds no chat template"),
        ({"tokenizer_config__json": "{"}, "tokenizer_config.json is no JSON"),
        ({"tokenizer_config__json": "[" * 99_999}, "tokenizer_config.json is no JSON"),
        ({"tokenizer_config__json": [1]}, "tokenizer_config.json is no JSON object"),
        ({"tokenizer_config__json": {"chat_template": 3}}, "neither text nor a list"),
        ({"tokenizer_config__json": {"chat_template": []}}, 'names no template "default", only n'),
        ({"tokenizer_config__json": {"chat_template": [{"name": "rag", "template": "x"}]}},
         'tokenizer_config.json names no template "default", only rag'),
        ({"tokenizer_config__json": {"chat_template": "{% if"}}, "template cannot be read"),
        ({"chat_template__json": "{"}, "chat_template.json is no JSON"),
    ],
)  # fmt: skip
def test_a_folder_without_a_template(tmp_path: Path, files: dict[str, Any], complaint: str) -> None:
    with pytest.raises(TemplateError) as failed:
        template_from(folder(tmp_path, **files))
    assert str(failed.value).startswith(f"{tmp_path}: ")
    assert complaint in str(failed.value)


# Told by a server, in the words of tokenizer_config.json


@pytest.mark.parametrize(
    ("config", "prompt"),
    [
        ({"chat_template": SAYS_ALL, "bos_token": "<s>", "eos_token": "</s>"}, "Why?</s>"),
        ({"chat_template": SAYS_ALL, "bos_token": "<s>", "add_bos_token": False}, "<s>Why?"),
        ({"chat_template": {"tool_use": "x", "default": SAYS_ALL}}, "Why?"),
    ],
)
def test_told_by_a_server(config: dict[str, Any], prompt: str) -> None:
    template = told_template(config, "there")
    assert template is not None
    assert filled(template) == prompt
    assert (template.origin, template.guessed) == ("told by there", False)


@pytest.mark.parametrize("config", [{}, {"chat_template": None}, {"chat_template": ""}])
def test_a_server_that_tells_no_template(config: dict[str, Any]) -> None:
    assert told_template(config, "there") is None


@pytest.mark.parametrize(
    ("told", "complaint"),
    [
        ("{% if", "the chat template cannot be read: "),
        ("{{ a }}" * 2**18, "the chat template is larger than a template can be (1048576 bytes)"),
        (3, "the tokenizer has a chat_template that is neither text nor a list"),
        ({"rag": "x"}, 'the tokenizer names no template "default", only rag'),
    ],
)
def test_a_template_that_a_server_should_not_have_told(told: Any, complaint: str) -> None:
    with pytest.raises(EngineRefused) as refused:
        told_template({"chat_template": told}, "there")
    assert str(refused.value).startswith(f"there: {complaint}")
    assert "Serve the model with another template" in str(refused.value)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(TemplateError) as failed:
        template_from(str(tmp_path / "llama"))
    assert "is neither a file nor a folder, nor a built-in template (chatml, deep" in str(
        failed.value
    )


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "chat_template.jinja").mkdir()
    with pytest.raises(
        TemplateError, match=r"chat_template.jinja: cannot be read \(Is a directory"
    ):
        template_from(tmp_path)


METADATA = st.dictionaries(
    st.text(max_size=5),
    st.one_of(
        st.tuples(st.just(8), st.text(max_size=9)),
        st.tuples(st.just(0), st.integers(0, 255)),
        st.tuples(st.just(7), st.booleans()),
        st.tuples(st.just(11), st.integers(-(2**63), 2**63 - 1)),
        st.tuples(st.just(12), st.floats(allow_nan=False)),
        st.tuples(st.just(9), st.tuples(st.just(8), st.lists(st.text(max_size=4), max_size=4))),
        st.tuples(st.just(9), st.tuples(st.just(3), st.lists(st.integers(-9, 9), max_size=4))),
    ),
    max_size=5,
)


@given(entries=METADATA, version=st.sampled_from([2, 3]))
@settings(max_examples=50, deadline=None)
def test_metadata_is_read_as_written(
    entries: dict[str, tuple[int, Any]], version: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.getbasetemp() / "written.gguf"
    file.write_bytes(gguf(entries, version=version))
    expected = {
        key: list(content[1]) if kind == 9 else content for key, (kind, content) in entries.items()
    }
    assert read_metadata(file) == expected


@pytest.mark.slow
@given(at=st.integers(4, len(gguf(MODEL)) - 1), byte=st.integers(0, 255), cut=st.booleans())
@settings(max_examples=200, deadline=None)
def test_a_damaged_file_is_read_or_refused(
    at: int, byte: int, cut: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = gguf(MODEL)
    file = tmp_path_factory.getbasetemp() / "damaged.gguf"
    file.write_bytes(whole[:at] if cut else whole[:at] + bytes([byte]) + whole[at + 1 :])
    with contextlib.suppress(DamagedGguf):
        assert isinstance(read_metadata(file), dict)


def test_what_is_no_gguf(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    with pytest.raises(DamagedGguf, match="is no GGUF file"):
        read_metadata(tmp_path / "empty")


def test_an_array_of_arrays_is_refused(tmp_path: Path) -> None:
    (tmp_path / "nested").write_bytes(gguf({"x": (9, (9, [(4, [1])]))}))
    with pytest.raises(DamagedGguf, match="no value of type 9"):
        read_metadata(tmp_path / "nested")
