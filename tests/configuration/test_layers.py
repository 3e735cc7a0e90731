"""Which file counts, and what the environment puts on top of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from trigreason.configuration.layers import Layers, find_file, read_environment, read_file

ENGINE = {"engines": {"Small-1.5": {"url": "http://file"}}}


def layered(
    environ: dict[str, str], values: dict[str, Any] | None = None
) -> tuple[Layers, list[str]]:
    layers = Layers()
    layers.put((), values or {}, "file")
    return layers, [str(each) for each in read_environment(layers, environ)]


def test_the_file_that_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, home = tmp_path / "here", tmp_path / "home"
    users = home / "trigreason" / "trigreason.toml"
    for folder in (here, users.parent):
        folder.mkdir(parents=True)
    monkeypatch.chdir(here)
    environ = {"XDG_CONFIG_HOME": str(home)}
    assert find_file(None, environ) is None
    users.touch()
    assert find_file(None, environ) == users
    (here / "trigreason.toml").touch()
    assert find_file(None, environ) == Path("trigreason.toml")
    assert find_file(None, environ | {"TRIGREASON_CONFIG": ""}) == Path("trigreason.toml")
    assert find_file(None, environ | {"TRIGREASON_CONFIG": "named"}) == Path("named")
    assert find_file(Path("given"), environ | {"TRIGREASON_CONFIG": "named"}) == Path("given")


def test_the_users_folder_without_xdg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    file = tmp_path / ".config" / "trigreason" / "trigreason.toml"
    file.parent.mkdir(parents=True)
    file.touch()
    assert find_file(None, {}) == file
    assert find_file(None, {"XDG_CONFIG_HOME": "relative/is/invalid"}) == file


def test_paths_are_relative_to_the_file(tmp_path: Path) -> None:
    file = tmp_path / "trigreason.toml"
    file.write_text(
        """
        [engines.a]
        file = "m.gguf"
        template = "t.jinja"
        [engines.b]
        file = "/abs/m.gguf"
        template = "chatml"
        [engines.c]
        file = "~/m.gguf"
        """
    )
    engines = read_file(file)["engines"]
    assert engines["a"] == {"file": str(tmp_path / "m.gguf"), "template": str(tmp_path / "t.jinja")}
    assert engines["b"] == {"file": "/abs/m.gguf", "template": "chatml"}
    assert engines["c"] == {"file": str(Path.home() / "m.gguf")}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("0.5", 0.5),
        ("true", True),
        ('"5"', "5"),
        ("[1, 2]", [1, 2]),
        ("http://x/v1", "http://x/v1"),
        ("Qwen3-0.6B", "Qwen3-0.6B"),
        ("", ""),
        ("yes", "yes"),
        ("1\nother = 2", "1\nother = 2"),
        ("{ unclosed", "{ unclosed"),
    ],
)
def test_values_are_toml_where_they_can_be(text: str, value: Any) -> None:
    layers, problems = layered({"TRIGREASON_ENGINES__A__MODEL": text})
    assert layers.values == {"engines": {"a": {"model": value}}}
    assert problems == []


def test_the_environment_goes_over_the_file_and_the_rest_stays() -> None:
    variable = "TRIGREASON_ENGINES__SMALL_1_5__TIMEOUTS__READ"
    layers, _ = layered({variable: "9"}, ENGINE)
    engine = layers.values["engines"]["Small-1.5"]
    assert engine == {"url": "http://file", "timeouts": {"read": 9}}
    assert layers.place(("engines", "Small-1.5", "url")) == "file"
    assert layers.place(("engines", "Small-1.5", "timeouts", "read")) == variable
    assert layers.place(("engines", "Small-1.5", "timeouts")) == variable
    assert layers.place(("engines", "Small-1.5", "timeouts", "read", "0")) == variable


def test_a_table_can_be_given_whole() -> None:
    values = {"engines": {"a": {"timeouts": {"connect": 1, "read": 2}}}}
    layers, _ = layered({"TRIGREASON_ENGINES__A__TIMEOUTS": "{ read = 5 }"}, values)
    assert layers.values["engines"]["a"]["timeouts"] == {"connect": 1, "read": 5}


def test_other_variables_are_left_alone() -> None:
    others = ("TRIGREASON_DATA", "TRIGREASON_SRM_API_KEY", "TRIGREASON_VLLM", "TRIGREASON_CONFIG")
    layers, problems = layered(dict.fromkeys(others, "x"))
    assert (layers.values, problems) == ({}, [])


def test_the_pair_by_its_variable() -> None:
    layers, _ = layered({"TRIGREASON_PAIR": "qwen"}, {"default_pair": "other"})
    assert layers.values == {"default_pair": "qwen"}
    assert layers.place(("default_pair",)) == "TRIGREASON_PAIR"
    assert layered({"TRIGREASON_PAIR": ""})[0].values == {}


@pytest.mark.parametrize("rest", ["", "A", "__URL", "A__", "A__TIMEOUTS__"])
def test_variables_that_name_no_key(rest: str) -> None:
    variable = f"TRIGREASON_ENGINES__{rest}"
    if rest == "A":
        layers, problems = layered({variable: "5"})
        assert (layers.values, problems) == ({"engines": {"a": 5}}, [])  # the schema refuses it
    else:
        (problem,) = layered({variable: "5"})[1]
        assert problem.startswith(f"{variable}: names no key")


def test_a_variable_that_could_mean_two_engines() -> None:
    values: dict[str, Any] = {"engines": {"a-b": {}, "a.b": {}}}
    (problem,) = layered({"TRIGREASON_ENGINES__A_B__URL": "x"}, values)[1]
    assert "a-b and a.b" in problem
