"""Chat templates: where the assistant begins to write, and what a template may not do."""

from __future__ import annotations

import pytest

from trigreason.engines.templates import CHATML, THINK, ChatTemplate, TemplateError
from trigreason.reasoning import Message

TURNS = "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}"
PLAIN = ChatTemplate(TURNS + "{% if add_generation_prompt %}[assistant]{% endif %}")
OPENS = ChatTemplate(TURNS + "{{ '[assistant]<think>\\n' }}")
OPENS_WITHOUT_LINE = ChatTemplate(TURNS + "[assistant]<think>")
QUESTION = (Message("user", "Why?"),)
CONVERSATION = (
    Message("system", "Be brief."),
    Message("user", "Why?"),
    Message("assistant", "<think>\nHm.\n</think>\n\nSo."),
    Message("user", "And then?"),
)


@pytest.mark.parametrize("template", [PLAIN, OPENS, OPENS_WITHOUT_LINE, CHATML])
def test_thinking_is_opened_exactly_once(template: ChatTemplate) -> None:
    prompt = template.render(QUESTION, thinking=True)
    assert prompt.count(THINK) == 1
    assert prompt.rstrip().endswith(THINK)


@pytest.mark.parametrize("template", [PLAIN, OPENS, OPENS_WITHOUT_LINE, CHATML])
def test_without_thinking_it_is_not_open(template: ChatTemplate) -> None:
    prompt = template.render(QUESTION, thinking=False)
    assert THINK not in prompt
    assert "Why?" in prompt


@pytest.mark.parametrize("thinking", [True, False])
@pytest.mark.parametrize("template", [PLAIN, OPENS])
def test_every_turn_is_there(template: ChatTemplate, thinking: bool) -> None:
    prompt = template.render(CONVERSATION, thinking=thinking)
    conversation = "".join(f"[{role}]{content}" for role, content in CONVERSATION)
    assert prompt == f"{conversation}[assistant]" + ("<think>\n" if thinking else "")


def test_chatml() -> None:
    assert CHATML.render((Message("system", "Be brief."), *QUESTION), thinking=True) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n"
        "<|im_start|>user\nWhy?<|im_end|>\n"
        "<|im_start|>assistant\n<think>\n"
    )


def test_no_beginning_of_sequence_token() -> None:
    template = ChatTemplate("{{ bos_token }}|{{ messages[0]['content'] }}")
    assert template.render(QUESTION, thinking=False) == "|Why?"


def test_blocks_are_trimmed_as_hugging_face_does() -> None:
    template = ChatTemplate(
        "{% for m in messages %}\n  {% if true %}\n{{ m.content }}{% endif %}\n{% endfor %}"
    )
    assert template.render(QUESTION, thinking=False) == "Why?"


def test_loop_controls() -> None:
    template = ChatTemplate("{% for m in messages %}{{ m.content }}{% break %}{% endfor %}")
    assert template.render(CONVERSATION, thinking=False) == "Be brief."


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
        "{% for i in range(1000000000) %}{% endfor %}",
    ],
)
def test_the_sandbox_refuses(attack: str) -> None:
    with pytest.raises(TemplateError):
        ChatTemplate(attack).render(QUESTION, thinking=True)


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
