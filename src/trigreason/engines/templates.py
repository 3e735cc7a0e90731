"""Chat templates: a conversation becomes the text a model was trained to continue.

Where a template comes from is the matter of ``template_sources``; what it may do, that of
``template_sandbox``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from trigreason.engines.refusals import one_line
from trigreason.engines.template_sandbox import TemplateSandbox
from trigreason.reasoning import Message
from trigreason.reasoning.steps import END_OF_THINKING

THINK = "<think>"


class TemplateError(ValueError):
    """A chat template cannot be found or read, or refuses this conversation; told in one line."""


class ChatTemplate:
    """A Jinja chat template, rendered in a sandbox.

    ``bos_token`` is what begins a prompt where the server does not add it; most do, and so it is
    empty by default and never stands twice. ``eos_token`` is what some templates put between
    turns. ``origin`` says in words where the template comes from, and ``guessed`` whether that is
    no more than the model's name.

    Raises:
        TemplateError: the source is no Jinja template.
    """

    def __init__(
        self,
        source: str,
        *,
        bos_token: str = "",
        eos_token: str = "",
        origin: str = "given as text",
        guessed: bool = False,
    ) -> None:
        self.source = source
        self.bos_token = bos_token
        self.eos_token = eos_token
        self.origin = origin
        self.guessed = guessed
        self._sandbox = TemplateSandbox()
        try:
            self._template = self._sandbox.compiled(source)
        except Exception as error:  # Python's compiler has limits of its own beside Jinja's
            raise TemplateError(f"the chat template cannot be read: {_reason(error)}") from error
        self._render = lru_cache(maxsize=64)(self._render_uncached)

    def __repr__(self) -> str:
        return f"<ChatTemplate {self.origin}>"

    def render(self, messages: Sequence[Message], *, thinking: bool) -> str:
        """The prompt up to where the assistant begins to write.

        With ``thinking`` it ends inside ``<think>``, which is opened exactly once, whether the
        template opens it, leaves it out, or closes it at once to switch the thinking off;
        without, the tag is not open. The reasoning of earlier turns is left out.

        Raises:
            TemplateError: the template refuses the conversation, such as one with a system
                message, or does not come to an end.
        """
        return self._render(tuple(messages), thinking)

    def _render_uncached(self, messages: tuple[Message, ...], thinking: bool) -> str:
        told = [_for_later_turns(message) for message in messages]
        prompt = self._fill(told)
        ending = _tag_at_the_end(prompt)
        if ending and any(_TAG.search(message.content) for message in told):
            # Which tag is the template's own shows where nobody else wrote one.
            ending = _tag_at_the_end(self._fill([_untagged(message) for message in told]))
        head = prompt.removesuffix(ending)
        if not thinking:
            return head
        is_open = head != prompt and not _closes(ending)
        return prompt if is_open else f"{head}{THINK}\n"

    def _fill(self, messages: Sequence[Message]) -> str:
        self._sandbox.begin()
        try:
            return self._template.render(
                messages=[message._asdict() for message in messages],
                add_generation_prompt=True,
                enable_thinking=True,
                thinking=True,
                tools=None,
                documents=None,
                bos_token=self.bos_token,
                eos_token=self.eos_token,
            )
        except Exception as error:  # a template is a foreign program: it may raise anything
            raise TemplateError(
                f"the chat template refuses this conversation: {_reason(error)}"
            ) from error


def without_reasoning(content: str) -> str:
    """What an assistant said after its last ``</think>``; all of it where none stands there.

    Thinking that is still open is no earlier turn's, so it stays.
    """
    _, closed, said = content.rpartition(END_OF_THINKING)
    return said.lstrip() if closed else content


_TAG = re.compile(r"</?think>")


def _for_later_turns(message: Message) -> Message:
    if message.role != "assistant":
        return message
    return message._replace(content=without_reasoning(message.content))


def _untagged(message: Message) -> Message:
    return message._replace(content=_TAG.sub("think", message.content))


def _tag_at_the_end(prompt: str) -> str:
    """``<think>``, ``</think>`` or an empty pair of them, where a prompt ends with one."""
    text = prompt.rstrip()
    if _closes(text):
        text = text.removesuffix(END_OF_THINKING)
        text = text.rstrip() if text.rstrip().endswith(THINK) else text
    elif not text.endswith(THINK):
        return ""
    return prompt[len(text.removesuffix(THINK)) :]


def _closes(text: str) -> bool:
    return text.rstrip().endswith(END_OF_THINKING)


def _reason(error: Exception) -> str:
    return one_line(str(error) or type(error).__name__)


CHATML = ChatTemplate(
    "{% for message in messages %}"
    "<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}",
    origin="built-in chatml",
)
"""ChatML, as Qwen models and the bundled pair use it."""

_USER = "<\N{FULLWIDTH VERTICAL LINE}User\N{FULLWIDTH VERTICAL LINE}>"
_ASSISTANT = "<\N{FULLWIDTH VERTICAL LINE}Assistant\N{FULLWIDTH VERTICAL LINE}>"
_END_OF_TURN = "<\N{FULLWIDTH VERTICAL LINE}end▁of▁sentence\N{FULLWIDTH VERTICAL LINE}>"

DEEPSEEK_R1 = ChatTemplate(
    "{% for message in messages if message.role == 'system' %}"
    "{{ message.content }}{{ '\\n\\n' if not loop.last }}"
    "{% endfor %}"
    "{% for message in messages %}"
    "{% if message.role == 'user' %}" + _USER + "{{ message.content }}"
    "{% elif message.role == 'assistant' %}"
    + _ASSISTANT
    + "{{ message.content }}"
    + _END_OF_TURN
    + "{% elif message.role != 'system' %}{{ raise_exception('no role ' ~ message.role) }}"
    "{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}" + _ASSISTANT + "{% endif %}",
    origin="built-in deepseek-r1",
)
"""DeepSeek-R1 and its distillations, whatever model those began as: system text stands first."""

BUILT_IN = {"chatml": CHATML, "deepseek-r1": DEEPSEEK_R1}
"""The templates that come along, by name."""

_FAMILIES = {
    "deepseek-r1": re.compile(r"deepseek[-_ ]?(r1|v3)|r1[-_ ]distill", re.IGNORECASE),
    "chatml": re.compile(r"qwen|qwq", re.IGNORECASE),
}


def guess(model: str) -> ChatTemplate:
    """The built-in template that a model's name speaks for, marked as ``guessed``; else ChatML."""
    families = (name for name, pattern in _FAMILIES.items() if pattern.search(model))
    name = next(families, None)
    if name is None:
        origin = f"built-in chatml, for want of anything known about {model}"
    else:
        origin = f"built-in {name}, guessed from the name {model}"
    return ChatTemplate(BUILT_IN[name or "chatml"].source, origin=origin, guessed=True)
