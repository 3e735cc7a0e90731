"""Chat templates: a conversation becomes the text a model was trained to continue.

Where a template comes from is the matter of ``template_sources``; what it may do, that of
``template_sandbox``.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from trigreason.engines.refusals import one_line
from trigreason.engines.template_sandbox import TemplateSandbox
from trigreason.reasoning import THINK_TAGS, Message, Tags


class TemplateError(ValueError):
    """A chat template cannot be found or read, or refuses this conversation; told in one line."""


class ChatTemplate:
    """A Jinja chat template, rendered in a sandbox.

    ``bos_token`` is what begins a prompt where the server does not add it; most do, and so it is
    empty by default and never stands twice. ``eos_token`` is what some templates put between
    turns. ``tags`` are those in which the template's model thinks; None for one that thinks in the
    open. ``origin`` says in words where the template comes from, and ``guessed`` whether that is
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
        tags: Tags | None = THINK_TAGS,
        origin: str = "given as text",
        guessed: bool = False,
    ) -> None:
        self.source = source
        self.bos_token = bos_token
        self.eos_token = eos_token
        self.tags = tags
        self.origin = origin
        self.guessed = guessed
        self._sandbox = TemplateSandbox()
        try:
            self._template = self._sandbox.compiled(source)
        except Exception as error:  # Python's compiler has limits of its own beside Jinja's
            raise TemplateError(f"the chat template cannot be read: {_reason(error)}") from error
        self._rendered = _Rendered()

    def __repr__(self) -> str:
        return f"<ChatTemplate {self.origin}>"

    def render(
        self, messages: Sequence[Message], *, thinking: bool, tags: Tags | None = THINK_TAGS
    ) -> str:
        """The prompt up to where the assistant, which thinks in ``tags``, begins to write.

        With ``thinking`` it ends inside the opening tag, which is opened exactly once, whether the
        template opens it, leaves it out, or closes it at once to switch the thinking off;
        without, the tag is not open. For a model that thinks in the open (``tags`` None) the
        template is told that it does not think, and its prompt is used as it is; an opening tag at
        its end is removed. The reasoning of earlier turns is left out.

        Raises:
            TemplateError: the template refuses the conversation, such as one with a system
                message, or does not come to an end.
        """
        asked = tuple(messages), thinking and tags is not None, tags
        if (prompt := self._rendered.get(asked)) is None:
            prompt = self._render(*asked)
            self._rendered.keep(asked, prompt)
        return prompt

    def _render(self, messages: tuple[Message, ...], thinking: bool, tags: Tags | None) -> str:
        in_the_open, tags = tags is None, tags or THINK_TAGS
        told = [_for_later_turns(message, tags) for message in messages]
        prompt = self._fill(told, not in_the_open)
        ending = _tag_at_the_end(prompt, tags)
        if ending and any(tag in message.content for message in told for tag in tags):
            # Which tag is the template's own shows where nobody else wrote one.
            untagged = [_untagged(message, tags) for message in told]
            ending = _tag_at_the_end(self._fill(untagged, not in_the_open), tags)
        head = prompt.removesuffix(ending)
        is_open = head != prompt and not _closes(ending, tags)
        if not thinking:
            return prompt if in_the_open and not is_open else head
        return prompt if is_open else f"{head}{tags.opening}\n"

    def _fill(self, messages: Sequence[Message], thinks: bool) -> str:
        """The prompt, with the last question in it: told as text, or in parts where those are read.

        Raises:
            TemplateError: the template refuses both, or leaves the question out.
        """
        told = [message._asdict() for message in messages]
        failure = TemplateError("the chat template leaves the question out of the prompt")
        for form in (told, [_in_parts(each) for each in told]):
            try:
                prompt = self._filled(form, thinks)
            except TemplateError as error:
                failure = failure if form is not told else error
                continue
            if _asks(prompt, messages):
                return prompt
        raise failure

    def _filled(self, messages: Sequence[dict[str, Any]], thinks: bool) -> str:
        self._sandbox.begin()
        try:
            return self._template.render(
                messages=messages,
                add_generation_prompt=True,
                enable_thinking=thinks,
                thinking=thinks,
                tools=None,
                documents=None,
                bos_token=self.bos_token,
                eos_token=self.eos_token,
            )
        except Exception as error:  # a template is a foreign program: it may raise anything
            raise TemplateError(
                f"the chat template refuses this conversation: {_reason(error)}"
            ) from error


Rendering = tuple[tuple[Message, ...], bool, Tags | None]
"""What a prompt is made from: the conversation, whether it thinks, and its tags."""

KEPT_CHARACTERS = 4 * 2**20
"""Of prompts and conversations that a template remembers."""


class _Rendered:
    """The prompts that were asked for last: a run asks for its own at every request."""

    def __init__(self) -> None:
        self._prompts: OrderedDict[Rendering, str] = OrderedDict()
        self._characters = 0

    def get(self, asked: Rendering) -> str | None:
        prompt = self._prompts.get(asked)
        if prompt is not None:
            self._prompts.move_to_end(asked)
        return prompt

    def keep(self, asked: Rendering, prompt: str) -> None:
        if _size(asked, prompt) > KEPT_CHARACTERS:
            return
        self._prompts[asked] = prompt
        self._characters += _size(asked, prompt)
        while self._characters > KEPT_CHARACTERS:
            self._characters -= _size(*self._prompts.popitem(last=False))


def _size(asked: Rendering, prompt: str) -> int:
    return len(prompt) + sum(len(message.content) + 100 for message in asked[0])


def without_reasoning(content: str, tags: Tags = THINK_TAGS) -> str:
    """What an assistant said after its last closing tag; all of it where none stands there.

    Thinking that is still open is no earlier turn's, so it stays.
    """
    _, closed, said = content.rpartition(tags.closing)
    return said.lstrip() if closed else content


def _in_parts(message: dict[str, Any]) -> dict[str, Any]:
    return {**message, "content": [{"type": "text", "text": message["content"]}]}


def _asks(prompt: str, messages: Sequence[Message]) -> bool:
    """Whether the last question stands in a prompt, white space aside."""
    asked = [message.content for message in messages if message.role == "user"]
    return not asked or "".join(asked[-1].split()) in "".join(prompt.split())


def _for_later_turns(message: Message, tags: Tags) -> Message:
    if message.role != "assistant":
        return message
    return message._replace(content=without_reasoning(message.content, tags))


def _untagged(message: Message, tags: Tags) -> Message:
    content = message.content
    for tag in tags:
        content = content.replace(tag, "think")
    return message._replace(content=content)


def _tag_at_the_end(prompt: str, tags: Tags) -> str:
    """An opening tag, a closing one or an empty pair of them, where a prompt ends with one."""
    text = prompt.rstrip()
    if _closes(text, tags):
        text = text.removesuffix(tags.closing)
        text = text.rstrip() if text.rstrip().endswith(tags.opening) else text
    elif not text.endswith(tags.opening):
        return ""
    return prompt[len(text.removesuffix(tags.opening)) :]


def _closes(text: str, tags: Tags) -> bool:
    return text.rstrip().endswith(tags.closing)


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


_INSTRUCT = re.compile(r"instruct|(?:^|[-_ ])(?:it|chat|coder)(?:$|[-_ .:])", re.IGNORECASE)
_REASONING = re.compile(r"think|reason|(?:^|[^a-z0-9])r1(?:$|[^a-z0-9])|qwq", re.IGNORECASE)


def _guessed_tags(model: str, thinks: bool | None = None) -> Tags | None:
    """The tags that a model's name speaks for: none for an instruct model, else ``THINK_TAGS``.

    ``thinks`` is what the server says of it, where it does; a name that speaks of reasoning
    counts against a server that knows nothing of that.
    """
    marks_nothing = bool(_INSTRUCT.search(model)) if thinks is None else not thinks
    return None if marks_nothing and not _REASONING.search(model) else THINK_TAGS


def guess(model: str, thinks: bool | None = None) -> ChatTemplate:
    """The built-in template that a model's name speaks for, marked as ``guessed``; else ChatML.

    ``thinks`` is as in :func:`_guessed_tags`.
    """
    families = (name for name, pattern in _FAMILIES.items() if pattern.search(model))
    name = next(families, None)
    if name is None:
        origin = f"built-in chatml, for want of anything known about {model}"
    else:
        origin = f"built-in {name}, guessed from the name {model}"
    source = BUILT_IN[name or "chatml"].source
    return ChatTemplate(source, tags=_guessed_tags(model, thinks), origin=origin, guessed=True)
