"""Chat templates: a conversation becomes the text a model was trained to continue."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NoReturn

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from trigreason.reasoning import Message

THINK = "<think>"


class TemplateError(ValueError):
    """A chat template cannot be read, or refuses this conversation."""


class ChatTemplate:
    """A Jinja chat template, rendered in a sandbox.

    The server adds the beginning-of-sequence token to a text prompt itself, so ``bos_token`` is
    empty here and never stands twice. ``eos_token`` is what some templates put between turns.
    """

    def __init__(self, source: str, *, eos_token: str = "") -> None:
        self.source = source
        self.eos_token = eos_token
        try:
            self._template = _environment().from_string(source)
        except jinja2.TemplateError as error:
            raise TemplateError(f"the chat template cannot be read: {error}") from error
        self._render = lru_cache(maxsize=64)(self._render_uncached)

    def render(self, messages: Sequence[Message], *, thinking: bool) -> str:
        """The prompt up to where the assistant begins to write.

        With ``thinking`` it ends inside ``<think>``, which is opened exactly once, whether or not
        the template opens it; without, the tag is not open, whether or not the template opens it.
        """
        return self._render(tuple(messages), thinking)

    def _render_uncached(self, messages: tuple[Message, ...], thinking: bool) -> str:
        try:
            prompt = self._template.render(
                messages=[message._asdict() for message in messages],
                add_generation_prompt=True,
                enable_thinking=True,
                bos_token="",
                eos_token=self.eos_token,
            )
        except Exception as error:  # a template is a foreign program: it may raise anything
            raise TemplateError(f"the chat template refuses this conversation: {error}") from error
        opened = prompt.rstrip().endswith(THINK)
        if thinking and not opened:
            return f"{prompt}{THINK}\n"
        return prompt.rstrip().removesuffix(THINK) if opened and not thinking else prompt


@lru_cache(maxsize=1)
def _environment() -> ImmutableSandboxedEnvironment:
    def raise_exception(message: str) -> NoReturn:
        raise jinja2.TemplateError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.loopcontrols"],
    )
    environment.globals["raise_exception"] = raise_exception
    policies: dict[str, Any] = environment.policies
    policies["json.dumps_kwargs"] = {"ensure_ascii": False, "sort_keys": False}
    return environment


CHATML = ChatTemplate(
    "{% for message in messages %}"
    "<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""ChatML, as Qwen models and the bundled pair use it."""
