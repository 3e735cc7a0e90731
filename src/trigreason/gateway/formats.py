"""The format that a client wants the answer in: text, any JSON object, or JSON by a schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from trigreason.engines.guides import ANY_OBJECT, Guide, SchemaInvalid
from trigreason.gateway.errors import invalid, unsupported
from trigreason.gateway.lenient import LenientModel

Kind = Literal["text", "json_object", "json_schema"]

OTHER_FORMATS = (
    *("grammar", "guided_choice", "guided_grammar", "guided_json", "guided_regex"),
    *("json_schema", "structured_outputs"),
)
"""Fields of vLLM and llama.cpp that bind the answer; without them it would be another one."""


class SchemaFormat(LenientModel):
    """A named schema. ``strict`` changes nothing: every answer is bound and validated."""

    model_config = ConfigDict(populate_by_name=True)

    name: Annotated[str | None, Field(max_length=64)] = None
    description: str | None = None
    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")] = None
    strict: bool | None = None


class ResponseFormat(LenientModel):
    """``response_format`` of chat completions; ``schema`` beside the type is llama.cpp's form."""

    model_config = ConfigDict(populate_by_name=True)

    type: Kind
    json_schema: SchemaFormat | None = None
    schema_: Annotated[dict[str, Any] | None, Field(alias="schema")] = None

    @property
    def given(self) -> SchemaFormat | None:
        if self.json_schema is None and self.schema_ is not None:
            return SchemaFormat.model_validate({"schema": self.schema_})
        return self.json_schema

    @property
    def place(self) -> str:
        return "schema" if self.json_schema is None and self.schema_ else "json_schema.schema"


class FlatFormat(SchemaFormat):
    """Type and schema in one object: ``text.format`` of the Responses API; Anthropic's formats."""

    type: Kind

    @property
    def given(self) -> SchemaFormat | None:
        return self if self.schema_ is not None else None

    @property
    def place(self) -> str:
        return "schema"

    @property
    def body(self) -> dict[str, Any]:
        """It as a response repeats it."""
        unknown = set(self.model_extra or ())
        return self.model_dump(by_alias=True, exclude_none=True, exclude=unknown)


def guide_of(
    wanted: ResponseFormat | FlatFormat | None,
    param: str = "response_format",
    *,
    has_tools: bool = False,
) -> Guide | None:
    """The guide of the answer; None for text.

    Raises:
        ApiError: the schema is missing or cannot be used, or there are tools beside it; it names
            the place of the fault.
    """
    if wanted is None or wanted.type == "text":
        return None
    if has_tools:
        what = "a schema binds the whole answer, so no tool could be called; leave out one"
        raise unsupported(param, what)
    given = wanted.given
    if wanted.type == "json_object" and not (given and given.schema_):
        return Guide(ANY_OBJECT)
    place = f"{param}.{wanted.place}"
    if given is None:
        missing = f"{param}.{wanted.place.partition('.')[0]}"
        raise invalid(f"{missing} is missing", missing)
    if (schema := given.schema_) is None:
        schema = dict(ANY_OBJECT)
    try:
        return Guide(schema)
    except SchemaInvalid as error:
        at = place + "".join(
            f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.path
        )
        raise invalid(f"{at}: {error}"[:500], at[:200], "invalid_json_schema") from error
