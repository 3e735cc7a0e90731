"""Chat templates: they turn a conversation into the text a model was trained to continue.

``template_sources`` reads templates, ``template_sandbox`` limits what they can do.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from trigreason.engines.earlier_calls import with_short_ids, without_calls
from trigreason.engines.refusals import one_line
from trigreason.engines.template_sandbox import TemplateSandbox
from trigreason.engines.tool_forms import MISTRAL, form_in_template
from trigreason.reasoning import THINK_TAGS, Message, Tags, Tool


class TemplateError(ValueError):
    """A chat template cannot be found or read, or refuses a conversation; its text is one line."""


class ChatTemplate:
    """A Jinja chat template, rendered in a sandbox.

    ``bos_token`` begins a prompt if the server does not add it; as most do, it is empty by default,
    so that it never comes twice. Some templates put ``eos_token`` between turns. ``tags`` are those
    of the template's model; None for one that thinks in the open. ``origin`` says in words where
    the template comes from; ``guessed`` is whether it was chosen by the model's name alone.
    ``tool_form`` is how the template has its model call tools; None if it offers none.

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
        self.tool_form = form_in_template(source)
        self._sandbox = TemplateSandbox()
        try:
            self._template = self._sandbox.compiled(source)
        except Exception as error:  # Python's compiler has limits besides Jinja's
            raise TemplateError(f"the chat template cannot be read: {_reason(error)}") from error
        self._rendered = _Rendered()

    def __repr__(self) -> str:
        return f"<ChatTemplate {self.origin}>"

    def render(
        self,
        messages: Sequence[Message],
        *,
        thinking: bool,
        tags: Tags | None = THINK_TAGS,
        tools: Sequence[Tool] = (),
    ) -> str:
        """The prompt up to where the assistant, which thinks in ``tags``, begins to write.

        With ``thinking`` the prompt ends after one opening tag, whether the template opens it,
        leaves it out, or closes it at once to switch the thinking off. Without ``thinking`` no tag
        is open at the end. For a model that thinks in the open (``tags`` None) the template gets
        ``enable_thinking=False`` and its prompt is used as it is, except that an opening tag at
        the end is removed. The reasoning of earlier turns is left out, except before calls of
        tools if the template reads it. ``tools`` are offered in the template's own form. Earlier
        calls and their results become text if the template does not know them.

        Raises:
            TemplateError: the template refuses the conversation, such as one with a system
                message, or does not come to an end; or there are tools and it offers none.
        """
        if tools and self.tool_form is None:
            raise TemplateError("the chat template offers its model no tools in a known form")
        rendering = tuple(messages), thinking and tags is not None, tags, tuple(tools)
        if (prompt := self._rendered.get(rendering)) is None:
            prompt = self._render(*rendering)
            self._rendered.keep(rendering, prompt)
        return prompt

    def _render(
        self,
        messages: tuple[Message, ...],
        thinking: bool,
        tags: Tags | None,
        tools: tuple[Tool, ...],
    ) -> str:
        in_the_open, tags = tags is None, tags or THINK_TAGS
        turns = [_for_later_turns(message, tags) for message in messages]
        if "tool_calls" not in self.source:
            turns = without_calls(turns)
        if self.tool_form is MISTRAL:
            turns = [with_short_ids(message) for message in turns]
        prompt = self._fill(turns, not in_the_open, tools)
        ending = _tag_at_the_end(prompt, tags)
        if ending and any(tag in message.content for message in turns for tag in tags):
            # The tag may come from a message: without the messages' tags, only the template's show.
            untagged = [_untagged(message, tags) for message in turns]
            ending = _tag_at_the_end(self._fill(untagged, not in_the_open, tools), tags)
        head = prompt.removesuffix(ending)
        is_open = head != prompt and not _closes(ending, tags)
        if not thinking:
            return prompt if in_the_open and not is_open else head
        return prompt if is_open else f"{head}{tags.opening}\n"

    def _fill(self, messages: Sequence[Message], thinks: bool, tools: tuple[Tool, ...]) -> str:
        """The prompt, from contents as text, or as parts if the template ignores the text.

        The arguments of calls are objects, or text for a template that refuses objects.

        Raises:
            TemplateError: the template refuses both, or leaves the last question out.
        """
        shows = "reasoning_content" in self.source
        as_text = [_turn(message, shows_reasoning=shows) for message in messages]
        has_calls = any(message.tool_calls for message in messages)
        written = [_turn(message, shows_reasoning=shows, arguments=str) for message in messages]
        offered = [json.loads(tool.definition) for tool in tools] or None
        failure = TemplateError("the chat template leaves the question out of the prompt")
        in_parts = [_in_parts(message) for message in as_text]
        for form in (as_text, *([written] if has_calls else []), in_parts):
            try:
                prompt = self._filled(form, thinks, offered)
            except TemplateError as error:
                failure = failure if form is not as_text else error
                continue
            if _asks(prompt, messages):
                return prompt
        raise failure

    def _filled(
        self, messages: Sequence[dict[str, Any]], thinks: bool, tools: list[Any] | None
    ) -> str:
        self._sandbox.begin()
        try:
            return self._template.render(
                messages=messages,
                add_generation_prompt=True,
                enable_thinking=thinks,
                thinking=thinks,
                tools=tools,
                documents=None,
                bos_token=self.bos_token,
                eos_token=self.eos_token,
            )
        except Exception as error:  # a template is a foreign program: it may raise anything
            raise TemplateError(
                f"the chat template refuses this conversation: {_reason(error)}"
            ) from error


Rendering = tuple[tuple[Message, ...], bool, Tags | None, tuple[Tool, ...]]
"""The arguments of a rendering: the conversation, whether the model thinks, its tags, the tools."""

KEPT_CHARACTERS = 4 * 2**20
"""Characters of prompts and conversations that a template caches."""


class _Rendered:
    """A cache of the last prompts, since a run renders the same one for every request."""

    def __init__(self) -> None:
        self._prompts: OrderedDict[Rendering, str] = OrderedDict()
        self._characters = 0

    def get(self, rendering: Rendering) -> str | None:
        prompt = self._prompts.get(rendering)
        if prompt is not None:
            self._prompts.move_to_end(rendering)
        return prompt

    def keep(self, rendering: Rendering, prompt: str) -> None:
        if _size(rendering, prompt) > KEPT_CHARACTERS:
            return
        self._prompts[rendering] = prompt
        self._characters += _size(rendering, prompt)
        while self._characters > KEPT_CHARACTERS:
            self._characters -= _size(*self._prompts.popitem(last=False))


def _size(rendering: Rendering, prompt: str) -> int:
    messages, _, _, tools = rendering
    calls = [call.arguments for message in messages for call in message.tool_calls]
    texts = [*calls, *(message.content + message.reasoning for message in messages)]
    return len(prompt) + sum(len(text) + 100 for text in (*texts, *map("".join, tools)))


def without_reasoning(content: str, tags: Tags = THINK_TAGS) -> str:
    """The assistant's text after its last closing tag; all of it if there is no closing tag.

    Thinking that is still open does not belong to an earlier turn, so it stays.
    """
    _, closed, answer = content.rpartition(tags.closing)
    return answer.lstrip() if closed else content


def _turn(
    message: Message, *, shows_reasoning: bool, arguments: Callable[[str], Any] = json.loads
) -> dict[str, Any]:
    """A message as templates read it, without fields that have nothing in them."""
    turn: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_call_id:
        turn["tool_call_id"] = message.tool_call_id
    if message.tool_calls:
        turn["content"] = message.content or None
        turn["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": arguments(call.arguments)},
            }
            for call in message.tool_calls
        ]
        if message.reasoning and shows_reasoning:
            turn["reasoning_content"] = message.reasoning
    return turn


def _in_parts(message: dict[str, Any]) -> dict[str, Any]:
    return {**message, "content": [{"type": "text", "text": message["content"] or ""}]}


def _asks(prompt: str, messages: Sequence[Message]) -> bool:
    """Whether a prompt contains the last question, ignoring white space."""
    questions = [message.content for message in messages if message.role == "user"]
    return not questions or "".join(questions[-1].split()) in "".join(prompt.split())


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
    """The opening tag, closing tag or empty pair of tags that ends a prompt, if any."""
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
"""DeepSeek-R1 and its distillations of all base models: system text comes first."""

BUILT_IN = {"chatml": CHATML, "deepseek-r1": DEEPSEEK_R1}
"""The built-in templates by name."""

_FAMILIES = {
    "deepseek-r1": re.compile(r"deepseek[-_ ]?(r1|v3)|r1[-_ ]distill", re.IGNORECASE),
    "chatml": re.compile(r"qwen|qwq", re.IGNORECASE),
}


_INSTRUCT = re.compile(r"instruct|(?:^|[-_ ])(?:it|chat|coder)(?:$|[-_ .:])", re.IGNORECASE)
_REASONING = re.compile(r"think|reason|(?:^|[^a-z0-9])r1(?:$|[^a-z0-9])|qwq", re.IGNORECASE)


def _guessed_tags(model: str, thinks: bool | None = None) -> Tags | None:
    """The tags to guess from a model's name: none for an instruct model, else ``THINK_TAGS``.

    ``thinks`` is whether the model thinks by the server's account, if it gives one; a name that
    speaks of reasoning overrides a server that says it does not.
    """
    marks_nothing = bool(_INSTRUCT.search(model)) if thinks is None else not thinks
    return None if marks_nothing and not _REASONING.search(model) else THINK_TAGS


def guess(model: str, thinks: bool | None = None) -> ChatTemplate:
    """The built-in template for the family in a model's name, else ChatML; marked ``guessed``.

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
