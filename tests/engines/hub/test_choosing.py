"""Names of models on the hub, and which file each means, as tables of cases."""

from __future__ import annotations

import pytest

from trigreason.engines.hub import HubError, HubName, is_hub_name
from trigreason.engines.hub.choosing import HubFile, chosen, models_in, quant_of


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("hf:Qwen/Qwen3-0.6B-GGUF", HubName("Qwen/Qwen3-0.6B-GGUF")),
        ("hf:o/r:Q8_0", HubName("o/r", variant="Q8_0")),
        ("hf:o/r@v1.0", HubName("o/r", "v1.0")),
        ("hf:o/r@refs/pr/1:sub/m.gguf", HubName("o/r", "refs/pr/1", "sub/m.gguf")),
    ],
)
def test_a_name_is_read_and_written(text: str, name: HubName) -> None:
    assert HubName.parse(text) == name
    assert str(name) == text


@pytest.mark.parametrize(
    "text", ["hf:", "hf:o", "hf:o/", "hf:/r", "hf:o/r:", "hf:o/r@", "hf:o/r:a:b", "hf:o/r/x", "o/r"]
)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write hf:ORG/REPO"):
        HubName.parse(text)


def test_a_path_is_no_name() -> None:
    assert is_hub_name("hf:o/r")
    assert not is_hub_name("models/hf.gguf")


@pytest.mark.parametrize(
    ("path", "quant"),
    [
        ("Qwen3-0.6B-Q8_0.gguf", "Q8_0"),
        ("qwen2.5-coder-0.5b-instruct-q4_k_m.gguf", "Q4_K_M"),
        ("Qwen3-4B-Thinking-2507-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
        ("BF16/m-BF16-00001-of-00002.gguf", "BF16"),
        ("m.fp16.gguf", "F16"),
        ("m-IQ4_XS.gguf", "IQ4_XS"),
        ("m.i1-Q5_K_S.gguf", "Q5_K_S"),
        ("m-Q4_K_M-imatrix.gguf", "Q4_K_M"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
        ("model.gguf", None),
        ("QwQ-32B.gguf", None),
    ],
)
def test_a_files_name_tells_its_quantization(path: str, quant: str | None) -> None:
    assert quant_of(path) == quant


def models(*paths: str) -> list[HubFile]:
    return [HubFile(path, 100 + number) for number, path in enumerate(paths)]


UNSLOTH = ("mmproj-F16.gguf", "imatrix_unsloth.gguf", "m-Q2_K.gguf", "m-UD-Q4_K_XL.gguf")


@pytest.mark.parametrize(
    ("wanted", "paths", "name"),
    [
        (None, ("m-Q8_0.gguf", "m-Q4_K_M.gguf", "m-Q2_K.gguf"), "m-Q4_K_M.gguf"),
        (None, ("m-Q8_0.gguf", "m-Q5_K_M.gguf", "m-Q4_K_S.gguf"), "m-Q4_K_S.gguf"),
        (None, ("m-F16.gguf", "m-Q8_0.gguf"), "m-Q8_0.gguf"),
        (None, ("README.md", "m-f16.gguf"), "m-f16.gguf"),
        (None, ("m.gguf",), "m.gguf"),
        (None, ("m-Q3_K_S.gguf", "m-Q2_K.gguf"), "m-Q3_K_S.gguf"),
        (None, UNSLOTH, "m-UD-Q4_K_XL.gguf"),
        ("q4_k_xl", UNSLOTH, "m-UD-Q4_K_XL.gguf"),
        ("UD-Q4_K_XL", UNSLOTH, "m-UD-Q4_K_XL.gguf"),
        ("Q4_K_M", ("m-Q4_K_M.gguf", "m-UD-Q4_K_M.gguf"), "m-Q4_K_M.gguf"),
        ("M.GGUF", ("sub/m.gguf", "n.gguf"), "m.gguf"),
        ("sub/m.gguf", ("sub/m.gguf", "m.gguf"), None),
        ("fp16", ("m-F16.gguf", "m-Q8_0.gguf"), "m-F16.gguf"),
        (
            "Q8_0",
            ("m-Q8_0-00002-of-00002.gguf", "m-Q8_0-00001-of-00002.gguf"),
            "m-Q8_0-00001-of-00002.gguf",
        ),
    ],
)
def test_a_model_is_chosen(wanted: str | None, paths: tuple[str, ...], name: str | None) -> None:
    found = chosen(models_in(models(*paths)), HubName("o/r", variant=wanted), "it")
    assert found.name == (name or "m.gguf")
    if name is None:
        assert found.files[0].path == wanted


@pytest.mark.parametrize(
    ("wanted", "paths", "told"),
    [
        (None, ("mmproj-F16.gguf", "x-imatrix.gguf"), "has no GGUF model"),
        (None, ("m-Q8_0-00001-of-00002.gguf",), "has no GGUF model"),
        (None, ("a-Q8_0.gguf", "b-Q8_0.gguf"), "Name one of: a-Q8_0.gguf, b-Q8_0.gguf."),
        ("Q4", ("m-Q4_K_M.gguf",), "There is Q4_K_M."),
        ("m.gguf", ("n.gguf",), "There is n.gguf."),
    ],
)
def test_what_is_not_there_is_told(wanted: str | None, paths: tuple[str, ...], told: str) -> None:
    with pytest.raises(HubError) as caught:
        chosen(models_in(models(*paths)), HubName("o/r", variant=wanted), "it")
    assert told in str(caught.value)
