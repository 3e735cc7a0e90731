"""Chat templates: where the assistant begins to write, and what a template may not do."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trigreason.engines.templates import (
    BUILT_IN,
    CHATML,
    DEEPSEEK_R1,
    ChatTemplate,
    TemplateError,
    guess,
    without_reasoning,
)
from trigreason.reasoning import Message, ToolCall
from trigreason.reasoning.tags import THINK_TAGS

THINK = THINK_TAGS.opening

TURNS = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}"
START = "{% if add_generation_prompt %}[assistant]"
PLAIN = ChatTemplate(TURNS + START + "{% endif %}")
OPENS = ChatTemplate(TURNS + "{{ '[assistant]<think>\\n' }}")
OPENS_WITHOUT_LINE = ChatTemplate(TURNS + "[assistant]<think>")
SWITCHED = ChatTemplate(
    TURNS + START + "{% if enable_thinking is defined and enable_thinking is false %}"
    "{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}{% endif %}"
)
SWITCHED_AND_OPEN = ChatTemplate(
    TURNS + START + "{% if enable_thinking %}{{ '<think>\\n' }}"
    "{% else %}{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}{% endif %}"
)
OFF_UNLESS_ASKED = ChatTemplate(
    "{% if not thinking is defined %}{% set thinking = false %}{% endif %}"
    + TURNS
    + START
    + "{% if thinking %}<think>{% else %}</think>{% endif %}{% endif %}"
)
ALWAYS_OFF = ChatTemplate(TURNS + START + "{{ '<think>\\n\\n</think>\\n\\n' }}{% endif %}")
ALWAYS_CLOSED = ChatTemplate(TURNS + START + "</think>{% endif %}")
STRIPS_EARLIER_REASONING = ChatTemplate(
    "{% for m in messages %}{% set content = m.content %}"
    "{% if m.role == 'assistant' and '</think>' in content %}"
    "{% set content = content.split('</think>')[-1].lstrip('\\n') %}{% endif %}"
    "[{{ m.role }}]{{ content }}{% endfor %}[assistant]"
)
TEMPLATES = {
    "plain": PLAIN,
    "opens": OPENS,
    "opens without line": OPENS_WITHOUT_LINE,
    "switched": SWITCHED,
    "switched and open": SWITCHED_AND_OPEN,
    "off unless asked": OFF_UNLESS_ASKED,
    "always off": ALWAYS_OFF,
    "always closed": ALWAYS_CLOSED,
    "strips": STRIPS_EARLIER_REASONING,
    **BUILT_IN,
}
every_template = pytest.mark.parametrize("template", TEMPLATES.values(), ids=TEMPLATES.keys())
QUESTION = (Message("user", "Why?"),)
CONVERSATION = (
    Message("system", "Be brief."),
    Message("user", "Why?"),
    Message("assistant", "<think>\nHm.\n</think>\n\nSo."),
    Message("user", "And then?"),
)


@every_template
def test_thinking_is_opened_exactly_once(template: ChatTemplate) -> None:
    prompt = template.render(QUESTION, thinking=True)
    assert prompt.count(THINK) == 1
    assert prompt.rstrip().endswith(THINK)
    assert "</think>" not in prompt


@every_template
def test_without_thinking_it_is_not_open(template: ChatTemplate) -> None:
    prompt = template.render(QUESTION, thinking=False)
    assert THINK not in prompt
    assert "</think>" not in prompt
    assert "Why?" in prompt


TAGGED = st.lists(
    st.sampled_from(["<think>", "</think>", "\n", " ", "k", "assistant", "思", "<"]),
    max_size=6,
).map("".join)
TOLD = st.lists(
    st.builds(Message, st.sampled_from(["user", "assistant", "system"]), TAGGED | st.text()),
    min_size=1,
    max_size=4,
)


@pytest.mark.slow
@every_template
@given(messages=TOLD)
@settings(max_examples=60, deadline=None)
def test_what_is_said_never_changes_what_is_opened(
    template: ChatTemplate, messages: list[Message]
) -> None:
    with_it = template.render(messages, thinking=True)
    without = template.render(messages, thinking=False)
    start = (
        template.render(QUESTION, thinking=False).partition("Why?")[2].removeprefix("<|im_end|>")
    )
    assert without.endswith(start.lstrip())
    opened = with_it.removeprefix(without)
    assert opened in ("<think>\n", "<think>")
    said = [
        without_reasoning(each.content) if each.role == "assistant" else each.content
        for each in messages
    ]
    for tag in ("<think>", "</think>"):
        assert without.count(tag) == sum(each.count(tag) for each in said)


@pytest.mark.parametrize("thinking", [True, False])
@pytest.mark.parametrize("template", [PLAIN, OPENS, STRIPS_EARLIER_REASONING])
def test_every_turn_is_there_without_its_reasoning(template: ChatTemplate, thinking: bool) -> None:
    prompt = template.render(CONVERSATION, thinking=thinking)
    conversation = "[system]Be brief.[user]Why?[assistant]So.[user]And then?"
    assert prompt == f"{conversation}[assistant]" + ("<think>\n" if thinking else "")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("So.", "So."),
        ("<think>\nHm.\n</think>\n\nSo.", "So."),
        ("Hm.\n</think>\n\nSo.", "So."),
        ("<think></think>So.", "So."),
        ("<think>a</think>b<think>c</think> d ", "d "),
        ("<think>\nHm.\n</think>", ""),
        ("<think>\nStill at it", "<think>\nStill at it"),
        ("  So.\n", "  So.\n"),
        ("", ""),
    ],
)
def test_without_reasoning(content: str, said: str) -> None:
    assert without_reasoning(content) == said


def test_reasoning_is_left_out_of_the_assistants_turns_only() -> None:
    told = [Message("system", "a</think>b"), Message("user", "c</think>d")]
    assert PLAIN.render(told, thinking=False) == "[system]a</think>b[user]c</think>d[assistant]"


@pytest.mark.parametrize("template", [PLAIN, STRIPS_EARLIER_REASONING, CHATML, DEEPSEEK_R1])
def test_a_turn_that_is_still_thinking_stays_as_it_is(template: ChatTemplate) -> None:
    told = [*QUESTION, Message("assistant", "<think>\nHm.\n\n"), Message("user", "Rate it.")]
    assert "<think>\nHm.\n\n" in template.render(told, thinking=False)


def test_chatml() -> None:
    assert CHATML.render((Message("system", "Be brief."), *QUESTION), thinking=True) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n"
        "<|im_start|>user\nWhy?<|im_end|>\n"
        "<|im_start|>assistant\n<think>\n"
    )


def test_deepseek_r1() -> None:
    bar = "\N{FULLWIDTH VERTICAL LINE}"
    conversation = (*CONVERSATION, Message("system", "Be kind."))
    assert DEEPSEEK_R1.render(conversation, thinking=True) == (
        f"Be brief.\n\nBe kind.<{bar}User{bar}>Why?"
        f"<{bar}Assistant{bar}>So.<{bar}end▁of▁sentence{bar}>"
        f"<{bar}User{bar}>And then?<{bar}Assistant{bar}><think>\n"
    )


def test_deepseek_r1_knows_three_roles() -> None:
    with pytest.raises(TemplateError, match="no role critic"):
        DEEPSEEK_R1.render([Message("critic", "3")], thinking=True)


@pytest.mark.parametrize(
    ("model", "source"),
    [
        ("DeepSeek-R1-Distill-Qwen-1.5B", DEEPSEEK_R1),
        ("deepseek-ai/DeepSeek-R1-0528-Qwen3-8B", DEEPSEEK_R1),
        ("deepseek-r1:70b", DEEPSEEK_R1),
        ("DeepSeek-V3.1", DEEPSEEK_R1),
        ("r1-distill-llama-8b-q4_k_m", DEEPSEEK_R1),
        ("Qwen/QwQ-32B", CHATML),
        ("qwen3-0.6b", CHATML),
        ("deepseek-coder-6.7b", CHATML),
        ("somebody/new", CHATML),
        ("", CHATML),
    ],
)
def test_a_guess_from_a_models_name(model: str, source: ChatTemplate) -> None:
    guessed = guess(model)
    assert guessed.source == source.source
    assert guessed.guessed
    assert model in guessed.origin


def test_a_guess_says_when_nothing_is_known() -> None:
    assert guess("QwQ-32B").origin == "built-in chatml, guessed from the name QwQ-32B"
    assert guess("new").origin == "built-in chatml, for want of anything known about new"
    assert not CHATML.guessed


def test_no_beginning_of_sequence_token() -> None:
    template = ChatTemplate("{{ bos_token }}|{{ messages[0]['content'] }}")
    assert template.render(QUESTION, thinking=False) == "|Why?"


@pytest.mark.parametrize(
    "source",
    [
        "{% for m in messages %}{% for p in m.content %}{{ p.text }}{% endfor %}{% endfor %}",
        "{{ messages[0].content[0]['text'] }}",
    ],
)
def test_a_template_that_reads_parts_gets_parts(source: str) -> None:
    assert ChatTemplate(source).render(QUESTION, thinking=False) == "Why?"


def test_a_question_that_is_left_out_is_refused() -> None:
    with pytest.raises(TemplateError, match="leaves the question out"):
        ChatTemplate("{{ messages[0].content }}").render(CONVERSATION, thinking=True)


@given(st.lists(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1, unique=True))
def test_calls_have_the_ids_that_mistrals_templates_take(ids: list[str]) -> None:
    strict = ChatTemplate(
        "{% macro id(given) %}"
        "{% if given | length != 9 %}{{ raise_exception('nine characters') }}{% endif %}"
        "<{{ given }}>{% endmacro %}"
        "{% if tools %}[AVAILABLE_TOOLS]{% endif %}{% for m in messages %}{{ m.content }}"
        "{% for call in m.tool_calls or [] %}[TOOL_CALLS]{{ id(call.id) }}{% endfor %}"
        "{% if m.role == 'tool' %}{{ id(m.tool_call_id) }}{% endif %}{% endfor %}"
    )
    calls = tuple(ToolCall(each, "add", "{}") for each in ids)
    results = [Message("tool", "", (), each) for each in ids]
    prompt = strict.render(
        [Message("user", "?"), Message("assistant", "", calls), *results], thinking=False
    )
    shown = re.findall("<([a-zA-Z0-9]{9})>", prompt)
    assert shown[: len(ids)] == shown[len(ids) :]
    assert len(set(shown)) == len(ids)


def test_an_id_that_fits_mistrals_templates_stays() -> None:
    shows = ChatTemplate(
        "{# tool_calls #}{{ messages[0].content }}"
        "{% for tool in tools or [] %}[TOOL_CALLS]{% endfor %}"
        "{% for m in messages %}{{ m.tool_call_id }};{% endfor %}"
    )
    hermes = ChatTemplate(shows.source.replace("[TOOL_CALLS]", "<tool_call>"))
    turns = [Message("user", "?"), Message("tool", "1", (), "aB3456789")]
    other = [Message("user", "?"), Message("tool", "1", (), "call_1")]
    assert shows.render(turns, thinking=False) == "?;aB3456789;"
    assert "call_1" not in shows.render(other, thinking=False)
    assert hermes.render([*other, Message("assistant", "")], thinking=False) == "?;call_1;;"
