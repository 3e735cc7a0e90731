"""A Jinja sandbox for chat templates, with Hugging Face's extensions to Jinja, and limits.

A template is a foreign program that comes with a model. It can access only its arguments, and it
ends: its loop turns and calls are counted, and the size of a number, text or list made with ``*``
or ``+`` is limited. Memory is not limited otherwise: a template that keeps doubling a text with
``~``, a block or a filter's argument can use it up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sized
from datetime import datetime
from typing import Any, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_WORK = 100_000
"""Loop turns and calls of one rendering: a few seconds of work at most."""

MAX_SIZE = 2**26
"""Characters of a text or items of a list made with ``*`` or ``+``."""

MAX_BITS = 4096
"""Bits of a number made with ``+``, ``*`` or ``**``."""


class GenerationTag(Extension):
    """``{% generation %}…{% endgeneration %}`` marks what to train on; it renders as its body."""

    tags = {"generation"}  # noqa: RUF012 - declared so by Jinja

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class TemplateSandbox(ImmutableSandboxedEnvironment):
    """The environment of one template; renders one conversation at a time."""

    intercepted_binops = frozenset({"+", "*", "**"})

    def __init__(self) -> None:
        super().__init__(
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.loopcontrols", GenerationTag],
        )
        self.globals |= {"raise_exception": _raise_exception, "strftime_now": _strftime_now}
        self.filters |= {"tojson": _tojson, "counted": self._counted}
        self._work = 0

    def compiled(self, source: str) -> jinja2.Template:
        """The template of this source, with the turns of every loop counted."""
        tree = self.parse(source)
        for loop in list(tree.find_all(nodes.For)):
            loop.iter = nodes.Filter(loop.iter, "counted", [], [], None, None, lineno=loop.lineno)
        tree.set_environment(self)
        return self.from_string(tree)

    def begin(self) -> None:
        """Count from 0 again, for a new rendering."""
        self._work = 0

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        self._do_work()
        return super().call(context, obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if _is_too_large(operator, left, right):
            raise SecurityError(f"what {operator} would make of these is too large")
        return super().call_binop(context, operator, left, right)

    def _counted(self, items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            self._do_work()
            yield item

    def _do_work(self) -> None:
        self._work += 1
        if self._work > MAX_WORK:
            raise SecurityError(f"it does not end within {MAX_WORK} loop turns and calls")


def _is_too_large(operator: str, left: Any, right: Any) -> bool:
    """Whether the result would be too large, by the sizes of its operands."""
    if isinstance(left, int) and isinstance(right, int):
        bits = left.bit_length(), right.bit_length()
        return (bits[0] * right if operator == "**" else sum(bits)) > MAX_BITS
    if operator == "*":
        many, times = (left, right) if isinstance(left, Sized) else (right, left)
        return isinstance(many, Sized) and isinstance(times, int) and len(many) * times > MAX_SIZE
    return (
        isinstance(left, Sized) and isinstance(right, Sized) and len(left) + len(right) > MAX_SIZE
    )


def _raise_exception(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)


def _strftime_now(form: str) -> str:
    return datetime.now().strftime(form)


def _tojson(value: Any, ensure_ascii: bool = False, **options: Any) -> str:
    """Plain JSON: Jinja's own filter would escape ``<`` for HTML."""
    return json.dumps(value, ensure_ascii=ensure_ascii, **options)
