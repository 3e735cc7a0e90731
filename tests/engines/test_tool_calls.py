"""Calls of tools in the text of an answer, in the form of each family of models."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigreason.engines.tool_calls import CallReader
from trigreason.engines.tool_forms import (
    DEEPSEEK,
    HERMES,
    LLAMA3,
    MISTRAL,
    ToolForm,
    form_in_template,
)
from trigreason.engines.tool_scans import (
    CALL_BEGIN,
    CALL_END,
    CALLS_BEGIN,
    CALLS_END,
    MISWRITTEN_BEGINS,
    SEPARATOR,
    WrittenCall,
)

SCHEMAS = {
    "add": {"properties": {"a": {"type": "integer"}}},
    "say": {"properties": {"text": {"type": "string"}}},
    "function": {},
}
ADD = WrittenCall("add", '{"a": 1}')
SAY = WrittenCall("say", '{"text": "1"}')
TWO = WrittenCall("say", '{"text": "1", "a": [1, "x"]}')
NONE = WrittenCall("add", "{}")
HERMES_ADD = '<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call>'
XML_ADD = "<tool_call>\n<function=add>\n<parameter=a>\n1\n</parameter>\n</function>\n</tool_call>"
XML_SAY = XML_ADD.replace("=add", "=say").replace("=a>", "=text>")
SEED_ADD = XML_ADD.replace("tool_call>", "seed:tool_call>").replace("\n1\n", "1")
GLM_ADD = "<tool_call>add\n<arg_key>a</arg_key>\n<arg_value>1</arg_value>\n</tool_call>"
GLM_TWO = (
    "<tool_call>say\n<arg_key>text</arg_key>\n<arg_value>1</arg_value>\n"
    '<arg_key>a</arg_key>\n<arg_value>[1, "x"]</arg_value>\n</tool_call>'
)
R1_ADD = f'{CALL_BEGIN}function{SEPARATOR}add\n```json\n{{"a": 1}}\n```{CALL_END}'
V31_ADD = f'{CALL_BEGIN}add{SEPARATOR}{{"a": 1}}{CALL_END}'
BARE = '{"name": "add", "parameters": {"a": 1}}'

FORMS = (HERMES, LLAMA3, MISTRAL, DEEPSEEK)
Read = list[str | WrittenCall]


CASES: list[tuple[ToolForm, str, Read]] = [
    (HERMES, "Seven.", ["Seven."]),
    (HERMES, HERMES_ADD, [ADD]),
    (HERMES, f"Let me see.\n{HERMES_ADD}\n", ["Let me see.", ADD]),
    (HERMES, f"{HERMES_ADD}\n{HERMES_ADD}", [ADD, ADD]),
    (HERMES, f"{HERMES_ADD}\nDone.", [ADD, "Done."]),
    (HERMES, HERMES_ADD.removesuffix("\n</tool_call>"), [ADD]),
    (HERMES, '<tool_call>{"name": "add"}</tool_call>', [NONE]),
    (HERMES, 'So:\n```json\n{"name": "add", "arguments": {"a": 1}}\n```', ["So:", ADD]),
    (HERMES, '```json\n{"name": "add"}\n```', []),
    (HERMES, '```json\n{"name": "rob", "arguments": {}}\n```', []),
    (HERMES, '```json\n[{"a": 1}]\n```\nDone.', []),
    (
        HERMES,
        HERMES_ADD.replace("1", '"</tool_call>"'),
        [WrittenCall("add", '{"a": "</tool_call>"}')],
    ),
    (HERMES, HERMES_ADD.replace("1", r'"}\"]"'), [WrittenCall("add", r'{"a": "}\"]"}')]),
    (HERMES, HERMES_ADD.replace("add", "rob"), [HERMES_ADD.replace("add", "rob")]),
    (HERMES, HERMES_ADD.replace("1}}", "1}"), [HERMES_ADD.replace("1}}", "1}")]),
    (HERMES, f"<tool_call>{{\n{HERMES_ADD}", ["<tool_call>{", ADD]),
    (HERMES, HERMES_ADD.replace("{", "[").replace("}", "]"), []),
    (HERMES, HERMES_ADD.replace("1", "NaN"), [HERMES_ADD.replace("1", "NaN")]),
    (HERMES, HERMES_ADD.replace("1", "1e999"), [HERMES_ADD.replace("1", "1e999")]),
    (HERMES, HERMES_ADD.replace("1", r'"\ud800"'), [HERMES_ADD.replace("1", r'"\ud800"')]),
    (HERMES, HERMES_ADD.replace('{"a": 1}', '"a"'), [HERMES_ADD.replace('{"a": 1}', '"a"')]),
    (HERMES, "a <tool_call b <tool", ["a <tool_call b <tool"]),
    (HERMES, XML_ADD, [ADD]),
    (HERMES, f"So:\n\n{XML_ADD}{XML_SAY}", ["So:", ADD, SAY]),
    (HERMES, XML_ADD.removesuffix("\n</tool_call>"), [ADD]),
    (HERMES, XML_ADD.replace("=add", "=rob"), [XML_ADD.replace("=add", "=rob")]),
    (HERMES, XML_ADD.replace("</parameter>", ""), [XML_ADD.replace("</parameter>", "")]),
    (HERMES, f"So:\n{SEED_ADD}\n{SEED_ADD}", ["So:", ADD, ADD]),
    (HERMES, f"So:\n{GLM_ADD}\n{GLM_TWO}", ["So:", ADD, TWO]),
    (HERMES, "<tool_call>add</tool_call>\n<tool_call>add\n</tool_call>", [NONE, NONE]),
    (HERMES, GLM_ADD.replace("1", "</tool_call>"), [WrittenCall("add", '{"a": "</tool_call>"}')]),
    (HERMES, GLM_ADD.replace("add", "rob"), []),
    (HERMES, GLM_ADD.removesuffix("</tool_call>"), []),
    (HERMES, GLM_ADD.replace("</arg_key>", ""), []),
    (HERMES, "<tool_call>add it", []),
    (LLAMA3, BARE, [ADD]),
    (LLAMA3, f"<|python_tag|>{BARE}", [ADD]),
    (LLAMA3, f"{BARE}; {BARE}", [ADD, ADD]),
    (LLAMA3, f"{BARE}{BARE} {BARE}\n{BARE}", [ADD] * 4),
    (LLAMA3, BARE.replace('"name"', '"type": "function", "name"'), [ADD]),
    (LLAMA3, f'{{"type": "function", "function": {BARE}}}', [ADD]),
    (LLAMA3, f'{{"function": {{"function": {BARE}}}}}', []),
    (LLAMA3, r"\(\frac{1}{2}\)", []),
    (LLAMA3, f"See:\n{BARE}", ["See:", ADD]),
    (LLAMA3, f"See {BARE}", [f"See {BARE}"]),
    (LLAMA3, '{"answer": 7}', ['{"answer": 7}']),
    (LLAMA3, "<|python_tag|>print(1)", ["<|python_tag|>print(1)"]),
    (MISTRAL, f"[TOOL_CALLS][{BARE}, {BARE}]", [ADD, ADD]),
    (MISTRAL, f"[TOOL_CALLS] [{BARE}]", [ADD]),
    (MISTRAL, '[TOOL_CALLS] [{"name": "add", "arguments": {"a": 1}, "id": "a1B2c3D4e"}]', [ADD]),
    (MISTRAL, f"[TOOL_CALLS][{BARE}, {{}}]", [f"[TOOL_CALLS][{BARE}, {{}}]"]),
    (MISTRAL, '[TOOL_CALLS]add[ARGS]{"a": 1}', [ADD]),
    (MISTRAL, '[TOOL_CALLS]add[CALL_ID]x1[ARGS]{"a": 1}[TOOL_CALLS]add{}', [ADD, NONE]),
    (MISTRAL, "[TOOL_CALLS]add of mine", ["[TOOL_CALLS]add of mine"]),
    (DEEPSEEK, f"Hm.{CALLS_BEGIN}{R1_ADD}\n{R1_ADD}{CALLS_END}", ["Hm.", ADD, ADD]),
    (
        DEEPSEEK,
        f"{CALLS_BEGIN}{R1_ADD.removeprefix(CALL_BEGIN)}\n{R1_ADD}{CALLS_END}",
        [ADD, ADD],
    ),
    (DEEPSEEK, f"{CALLS_BEGIN}{V31_ADD}{CALLS_END}", [ADD]),
    (DEEPSEEK, f"{CALLS_BEGIN}{V31_ADD}{V31_ADD}{CALLS_END}", [ADD, ADD]),
    (DEEPSEEK, f"{CALLS_BEGIN}{V31_ADD.removeprefix(CALL_BEGIN)}{CALLS_END}", []),
    (
        DEEPSEEK,
        f'{CALLS_BEGIN}{CALL_BEGIN}function{SEPARATOR}{{"a": 1}}{CALL_END}{CALLS_END}',
        [WrittenCall("function", '{"a": 1}')],
    ),
    (DEEPSEEK, f"{CALLS_BEGIN}{V31_ADD}", [ADD]),
    (
        DEEPSEEK,
        f"{CALLS_BEGIN}{V31_ADD}x{CALLS_END}",
        [f"{CALLS_BEGIN}{V31_ADD}x{CALLS_END}"],
    ),
    (DEEPSEEK, f"{CALLS_BEGIN}none", [f"{CALLS_BEGIN}none"]),
]
CASES += [
    (DEEPSEEK, f"Hm.\n{begin}{R1_ADD}{CALLS_END}", ["Hm.", ADD]) for begin in MISWRITTEN_BEGINS
]
CASES = [(form, text, read or [text]) for form, text, read in CASES]


def read_in(form: ToolForm, pieces: list[str]) -> Read:
    """What is read of a text in pieces, with neighbouring texts joined."""
    reader = CallReader([form], SCHEMAS)
    joined: Read = []
    for each in [*(out for piece in pieces for out in reader.push(piece)), *reader.finish()]:
        if isinstance(each, str) and joined and isinstance(joined[-1], str):
            joined[-1] += each
        else:
            joined.append(each)
    return joined


@pytest.mark.parametrize(("form", "text", "read"), CASES)
def test_each_form(form: ToolForm, text: str, read: Read) -> None:
    assert read_in(form, [text]) == read
    assert read_in(form, list(text)) == read


FRAGMENTS = st.sampled_from(
    [text for _, text, _ in CASES]
    + [word for form in FORMS for word in (*form.words, *form.special)]
    + ["{", "}", "[", "]", '"', "\\", " ", "\n", ";", "</tool_call>", "<function=", "x", "😀"]
)


@given(st.sampled_from(FORMS), st.lists(FRAGMENTS, max_size=6), st.data())
def test_the_calls_do_not_depend_on_how_a_stream_is_cut(
    form: ToolForm, fragments: list[str], data: st.DataObject
) -> None:
    text = "".join(fragments)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pieces = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    whole = read_in(form, [text])
    assert read_in(form, pieces) == whole
    assert read_in(form, list(text)) == whole
    for call in whole:
        assert isinstance(call, str) or call.name in SCHEMAS


@pytest.mark.parametrize(
    ("source", "form"),
    [
        ("{{ tools }}<tool_call>", HERMES),
        ("{{ tools }}<tool_call><function=", HERMES),
        ("{{ tools }}<tool_call>{name}<arg_key>", HERMES),
        ("{{ tools }}<seed:tool_call><function=", HERMES),
        ("{{ tools }}<|python_tag|>", LLAMA3),
        ('{{ tools }}{"name": function name, "parameters": dictionary', LLAMA3),
        ('{{ tools }}{"tool_name": its title, "parameters": a dict', None),
        ('{{ tools }}"name": "{{ tool.name }}", "parameters": {{ tool.parameters }}', None),
        ("{{ tools }}[TOOL_CALLS]", MISTRAL),
        ("{{ tools }}[TOOL_CALLS][ARGS]", MISTRAL),
        (f"{{{{ tools }}}}{CALLS_BEGIN}```json", DEEPSEEK),
        (f"{{{{ tools }}}}{CALLS_BEGIN}", DEEPSEEK),
        ("{{ tools }}", None),
        ("<tool_call>", None),
    ],
)
def test_the_form_that_a_template_shows(source: str, form: ToolForm | None) -> None:
    assert form_in_template(source) is form
