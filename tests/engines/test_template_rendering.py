"""What templates may do: what published ones use, and what the sandbox refuses."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from tests.engines.test_templates import CONVERSATION, PLAIN, QUESTION
from trigreason.engines.templates import (
    CHATML,
    DEEPSEEK_R1,
    ChatTemplate,
    TemplateError,
)
from trigreason.reasoning import Message


def printed(source: str, messages: Sequence[Message], **tokens: Any) -> str:
    """What a piece of a template prints before the question."""
    template = ChatTemplate(source + "|||{{ messages[-1].content }}", **tokens)
    return template.render(messages, thinking=False).partition("|||")[0]


def test_a_beginning_of_sequence_token_that_the_server_leaves_out() -> None:
    prompt = printed("{{ bos_token }}|{{ eos_token }}", QUESTION, bos_token="<s>", eos_token="</s>")
    assert prompt == "<s>|</s>"


def test_blocks_are_trimmed_as_hugging_face_does() -> None:
    template = ChatTemplate(
        "{% for m in messages %}\n  {% if true %}\n{{ m.content }}{% endif %}\n{% endfor %}"
    )
    assert template.render(QUESTION, thinking=False) == "Why?"


def test_loop_controls() -> None:
    source = "{% for m in messages %}{{ m.content }}{% break %}{% endfor %}"
    assert printed(source, CONVERSATION) == "Be brief."


@pytest.mark.parametrize(
    ("source", "prompt"),
    [
        ("{% if tools %}T{% endif %}{% if documents is none %}-{% endif %}", "-"),
        ("{% if tools is not none %}T{% endif %}", ""),
        ("{% if tools is defined and tools %}T{% endif %}{{ messages[0].tool_calls }}", ""),
        ("{{ messages[0].reasoning_content is string }}", "False"),
        ("{% for m in messages[::-1] %}{{ loop.index0 }}{{ m.role }} {% endfor %}",
         "0user 1assistant 2user 3system "),
        ("{% for m in messages %}{{ loop.length }}{{ loop.revindex }}{{ ',' if not loop.last }}"
         "{% endfor %}", "44,43,42,41"),
        ("{% for m in messages if m.role == 'user' %}{{ loop.first }}{% else %}none{% endfor %}",
         "TrueFalse"),
        ("{% for m in messages if m.role == 'tool' %}{{ m }}{% else %}none{% endfor %}", "none"),
        ("{% for m in messages recursive %}{{ m.role[0] }}{% endfor %}", "suau"),
        ("{% set ns = namespace(n=0) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}"
         "{% endfor %}{{ ns.n }}", "4"),
        ("{{ messages[0]['content'] | trim | tojson }}", '"Be brief."'),
        ("{{ {'b': '<é>&', 'a': [1, none]} | tojson }}", '{"b": "<é>&", "a": [1, null]}'),
        ("{{ [1] | tojson(indent=1) }}", "[\n 1\n]"),
        ("{{ '-' * 3 + messages[1].content + '%s' % 2 }}", "---Why?2"),
        ("{{ messages[1].content.split('h')[-1].startswith('y') }}", "True"),
        ("{% for m in messages %}{% generation %}{{ m.role[0] }}{% endgeneration %}{% endfor %}",
         "suau"),
        ("{% generation %}\n{% if true %}a{% endif %}\n{% endgeneration %}\nb", "ab"),
        ("{% macro say(m) %}<{{ m.content }}>{% endmacro %}{{ say(messages[1]) }}", "<Why?>"),
        ("{{ messages | map(attribute='role') | join(' ') }}", "system user assistant user"),
    ],
)  # fmt: skip
def test_what_published_templates_use(source: str, prompt: str) -> None:
    assert printed(source, CONVERSATION) == prompt


def test_todays_date() -> None:
    rendered = printed("{{ strftime_now('%Y-%m-%d') }}", QUESTION)
    assert abs(datetime.fromisoformat(rendered) - datetime.now()).days <= 1


@pytest.mark.parametrize(
    "content",
    ["思考 \U0001f9e0 \u202e نص", "\udce4 half a byte", "a" * 2**21, "{{ 7 * 7 }}{% x %}", ""],
)
@pytest.mark.parametrize("template", [PLAIN, CHATML, DEEPSEEK_R1])
def test_content_is_never_touched(template: ChatTemplate, content: str) -> None:
    assert content in template.render([Message("user", content)], thinking=True)


@pytest.mark.parametrize(
    "attack",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ messages.__class__.__base__.__subclasses__() }}",
        "{{ raise_exception.__globals__.keys() }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ messages.append(1) }}",
        "{{ messages[0].update({'role': 'x'}) }}",
        "{{ ('%s' | attr('format'))(1).__class__.x }}",
        "{{ namespace(x=1).__class__.__mro__ }}",
        "{% include '/etc/passwd' %}",
    ],
)
def test_the_sandbox_refuses(attack: str) -> None:
    with pytest.raises(TemplateError):
        ChatTemplate(attack).render(QUESTION, thinking=True)


TWICE = "{% set ns = namespace(x='ab', n=3) %}{% for i in range(99) %}"


@pytest.mark.slow
@pytest.mark.parametrize(
    "source",
    [
        "{% for i in range(1000000000) %}{% endfor %}",
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{% for i in range(99999) %}{% for j in messages[0].content * 9999 %}{% endfor %}"
        "{% endfor %}",
        "{% macro f(n) %}{% if n %}{{ f(n - 1) ~ f(n - 1) }}{% endif %}{% endmacro %}{{ f(99) }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        TWICE + "{% set ns.x = ns.x + ns.x %}{% endfor %}",
        TWICE + "{% set ns.x = ns.x * 2 %}{% endfor %}",
        TWICE + "{% set ns.n = ns.n * ns.n %}{% endfor %}",
        "{{ 'a' * 10000000000 }}",
        "{{ [0] * 10000000000 }}",
        "{{ 10000000000 * 'a' }}",
        "{{ 9 ** 999999999 }}",
        "{{ messages.x(" + "(" * 500 + "1" + ")" * 500 + ") }}",
        "{% for i in [1] %}" * 30 + "{% endfor %}" * 30,
    ],
)
def test_a_template_that_would_not_end(source: str) -> None:
    begun = time.process_time()
    with pytest.raises(TemplateError):
        ChatTemplate(source).render(QUESTION, thinking=True)
    assert time.process_time() - begun < 20


def test_work_is_counted_anew_for_every_rendering() -> None:
    template = ChatTemplate("{% for i in range(60000) %}{% endfor %}{{ messages[0].content }}")
    for turn in range(30):
        assert template.render([Message("user", f"{turn}")], thinking=False) == f"{turn}"


@pytest.mark.parametrize(
    "source", ["{% for m in messages %}", "{{ messages[0", "{% nonsense %}", "{{ x | nofilter }}"]
)
def test_a_broken_template_cannot_be_read(source: str) -> None:
    with pytest.raises(TemplateError, match="the chat template cannot be read"):
        ChatTemplate(source)


@pytest.mark.parametrize(
    "source",
    [
        "{{ raise_exception('roles must alternate') }}",
        "{{ messages[0].content + 1 }}",
        "{{ 1 / 0 }}",
        "{{ missing.attribute }}",
        "{{ messages[0].content.encode('ascii').decode('utf-16') + messages[9].content }}",
    ],
)
def test_a_template_that_refuses_a_conversation(source: str) -> None:
    with pytest.raises(TemplateError, match="refuses this conversation"):
        ChatTemplate(source).render(QUESTION, thinking=True)


def test_what_a_template_raises_is_told() -> None:
    with pytest.raises(TemplateError, match="roles must alternate"):
        ChatTemplate("{{ raise_exception('roles must alternate') }}").render(
            QUESTION, thinking=True
        )


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("{{ raise_exception('System role not supported') }}", "System role not supported"),
        ("{{ raise_exception('two\nlines\n') }}", "two lines"),
        ("{{ raise_exception('') }}", "TemplateError"),
    ],
)
def test_a_refusal_is_one_line(source: str, told: str) -> None:
    template = ChatTemplate("{% if messages[0].role == 'system' %}" + source + "{% endif %}ok Why?")
    with pytest.raises(TemplateError) as refused:
        template.render(CONVERSATION, thinking=True)
    assert str(refused.value) == f"the chat template refuses this conversation: {told}"
    assert template.render(QUESTION, thinking=False) == "ok Why?"
