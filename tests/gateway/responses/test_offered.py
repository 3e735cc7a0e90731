"""The tools of a response's request, and the choice among them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.gateway.responses.states import TIME
from trigreason.gateway.errors import ApiError
from trigreason.gateway.responses.offered import offered, repeated

SEARCH = {"type": "web_search"}
BARE = {"type": "function", "name": "now"}
GIVEN = [SEARCH, TIME, {"type": "mcp", "server_label": "x"}, SEARCH, BARE]


def allowed(mode: Any, *tools: Any) -> dict[str, Any]:
    return {"type": "allowed_tools", "mode": mode, "tools": list(tools)}


@pytest.mark.parametrize(
    ("choice", "names", "forced"),
    [
        (None, ["time", "now"], None),
        ("auto", ["time", "now"], None),
        ("none", [], None),
        ("required", ["time", "now"], ["time", "now"]),
        ({"type": "function", "name": "now"}, ["time", "now"], ["now"]),
        (allowed("auto", BARE), ["now"], None),
        (allowed("auto", BARE, BARE), ["now"], None),
        (allowed("required", {"type": "function", "name": "time"}), ["time"], ["time"]),
        (allowed("auto", SEARCH), [], None),
        (allowed("required", SEARCH, BARE), ["now"], ["now"]),
    ],
)
def test_choices(choice: Any, names: list[str], forced: list[str] | None) -> None:
    tools, call, ignored = offered(GIVEN, choice)
    assert [tool.name for tool in tools] == names
    assert ignored == ("tools.web_search", "tools.mcp")
    if forced is None:
        assert call is None
    else:
        assert call is not None
        schema: Any = call.guide.json_schema
        calls = schema.get("anyOf", [schema])
        assert [each["properties"]["name"]["const"] for each in calls] == forced


def test_a_function_is_offered_in_the_form_that_templates_know() -> None:
    [tool, bare] = offered([TIME, BARE], None).tools
    function = {key: TIME[key] for key in ("name", "description", "parameters")}
    assert json.loads(tool.definition) == {"type": "function", "function": function}
    assert json.loads(bare.definition)["function"]["parameters"] == {
        "type": "object",
        "properties": {},
    }


@pytest.mark.parametrize(
    ("given", "choice", "param"),
    [
        ([SEARCH, {"type": "function"}], None, "tools[1].name"),
        ([{"type": "function", "function": {"name": "nested"}}], None, "tools[0].name"),
        ([BARE | {"parameters": []}], None, "tools[0].parameters"),
        ([BARE | {"name": "\ud800"}], None, "tools[0]"),
        ([BARE, BARE], None, "tools"),
        (["time"], None, "tools[0]"),
        ([SEARCH, {"name": "now"}], None, "tools[1]"),
        ([SEARCH], "required", "tool_choice"),
        ([], {"type": "function", "name": "now"}, "tool_choice"),
        ([BARE], {"type": "function", "name": "time"}, "tool_choice"),
        ([BARE], {"type": "function"}, "tool_choice"),
        ([BARE], {"type": "function", "function": {"name": "now"}}, "tool_choice"),
        ([BARE, SEARCH], SEARCH, "tool_choice"),
        ([BARE], "now", "tool_choice"),
        ([BARE], ["auto"], "tool_choice"),
        ([BARE], allowed("none", BARE), "tool_choice"),
        ([BARE], allowed("auto", TIME), "tool_choice"),
        ([BARE], allowed("auto", BARE, TIME), "tool_choice"),
        ([BARE], allowed("auto", {"type": "function"}), "tool_choice"),
        ([BARE], {"type": "allowed_tools", "mode": "auto"}, "tool_choice"),
        ([BARE, SEARCH], allowed("required", SEARCH), "tool_choice"),
        ([BARE], allowed("auto", "now"), "tool_choice.tools[0]"),
    ],
)
def test_what_cannot_be_called_is_named(given: list[Any], choice: Any, param: str) -> None:
    with pytest.raises(ApiError) as refused:
        offered(given, choice)
    assert (refused.value.status, refused.value.param) == (400, param)


def test_a_response_repeats_its_functions() -> None:
    bare = {"name": "now", "description": None, "parameters": None, "strict": None}
    assert repeated(GIVEN) == [TIME, {"type": "function"} | bare]
