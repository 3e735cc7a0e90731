"""How a template says that its model thinks, and how often a prompt is rendered."""

from __future__ import annotations

import re

import pytest

from tests.engines.test_templates import PLAIN, TURNS
from trigreason.engines import templates
from trigreason.engines.templates import (
    CHATML,
    ChatTemplate,
    guess,
)
from trigreason.reasoning import Message, Tool
from trigreason.reasoning.tags import KNOWN_TAGS, THINK_TAGS, Tags, tags_in_template


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

    def noted(
        messages: tuple[Message, ...], thinking: bool, tags: Tags | None, tools: tuple[Tool, ...]
    ) -> str:
        rendered.append(messages[0].content)
        return render(messages, thinking, tags, tools)

    monkeypatch.setattr(template, "_render", noted)
    return template, rendered
