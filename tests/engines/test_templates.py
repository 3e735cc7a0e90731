"""Chat templates: where the assistant begins to write, and what a template may not do."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trigreason.engines import templates
from trigreason.engines.templates import (
    BUILT_IN,
    CHATML,
    DEEPSEEK_R1,
    ChatTemplate,
    TemplateError,
    guess,
    without_reasoning,
)
from trigreason.reasoning import Message
from trigreason.reasoning.tags import KNOWN_TAGS, THINK_TAGS, Tags, tags_in_template

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
    with pytest.raises(TemplateError, match="no role tool"):
        DEEPSEEK_R1.render([Message("tool", "3")], thinking=True)


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


def test_a_template_says_where_it_comes_from() -> None:
    assert re.fullmatch("<ChatTemplate built-in chatml>", repr(CHATML))


@pytest.mark.parametrize(
    ("model", "tags"),
    [
        ("Qwen2.5-7B-Instruct", None),
        ("gemma-3-4b-it", None),
        ("starcoder15b-instruct", None),
        ("deepseek-coder:6.7b", None),
        ("Qwen3-0.6B", THINK_TAGS),
        ("DeepSeek-R1-Distill-Qwen-1.5B", THINK_TAGS),
        ("Phi-4-mini-reasoning-instruct", THINK_TAGS),
        ("Qwen3-4B-Thinking-Instruct", THINK_TAGS),
    ],
)
def test_how_a_model_thinks_is_guessed_from_its_name(model: str, tags: object) -> None:
    assert guess(model).tags == tags


@pytest.mark.parametrize("tags", KNOWN_TAGS)
def test_other_tags_are_opened_once(tags: Tags) -> None:
    for template in (PLAIN, ChatTemplate(TURNS + f"[assistant]{tags.opening}")):
        prompt = template.render([Message("user", "Why?")], thinking=True, tags=tags)
        assert prompt.count(tags.opening) == 1
        assert prompt.rstrip().endswith(tags.opening)


@pytest.mark.parametrize(
    ("source", "ending"),
    [
        ("{{ '[assistant]' }}", "[assistant]"),
        ("{{ '[assistant]<think>\\n' }}", "[assistant]"),
        (
            "[assistant]{% if not enable_thinking %}<think>\n\n</think>\n\n{% endif %}",
            "[assistant]<think>\n\n</think>\n\n",
        ),
    ],
)
def test_in_the_open_the_template_is_told_not_to_think(source: str, ending: str) -> None:
    prompt = ChatTemplate(TURNS + source).render(
        [Message("user", "Why?")], thinking=False, tags=None
    )
    assert prompt.endswith(ending)


@pytest.mark.parametrize(
    ("source", "tags"),
    [
        ("{{ messages }}", None),
        ("{{ messages }}<think>", THINK_TAGS),
        ("{{ content.split('</think>') }}", THINK_TAGS),
        ("{% if enable_thinking %}{% endif %}", THINK_TAGS),
        ("{{ message.reasoning_content }}", THINK_TAGS),
        ("[INST]{{ messages }}[THINK]", Tags("[THINK]", "[/THINK]")),
    ],
)
def test_a_template_tells_how_its_model_thinks(source: str, tags: Tags | None) -> None:
    assert tags_in_template(source) == tags


def test_a_prompt_is_rendered_once_for_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    template, rendered = counted(monkeypatch)
    for text in ("one", "two", "one", "two"):
        template.render([Message("user", text)], thinking=True)
    assert rendered == ["one", "two"]


def test_prompts_are_remembered_by_their_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "KEPT_CHARACTERS", 1000)
    template, rendered = counted(monkeypatch)

    def render(text: str) -> None:
        template.render([Message("user", text)], thinking=True)

    for text in ("a" * 100, "b" * 100, "a" * 100, "c" * 100, "a" * 100):
        render(text)
    assert [each[0] for each in rendered] == ["a", "b", "c"]
    render("b" * 100)
    assert rendered[-1][0] == "b", "it was the one that nobody had asked for"
    for _ in range(2):
        render("d" * 1000)
    assert [each[0] for each in rendered[-2:]] == ["d", "d"], "too long to be kept"
    render("b" * 100)
    assert rendered[-1][0] == "d", "and it has put nothing out"
    for index in range(100):
        render(f"{index} " * 30)
    assert template._rendered._characters <= 1000


def counted(monkeypatch: pytest.MonkeyPatch) -> tuple[ChatTemplate, list[str]]:
    """A template, and the questions that it has rendered."""
    template = ChatTemplate(CHATML.source)
    rendered: list[str] = []
    render = template._render

    def noted(messages: tuple[Message, ...], thinking: bool, tags: Tags | None) -> str:
        rendered.append(messages[0].content)
        return render(messages, thinking, tags)

    monkeypatch.setattr(template, "_render", noted)
    return template, rendered
