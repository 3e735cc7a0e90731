"""The schema of a configuration.

The tables below an engine and a pair are runtime objects: the schema reads their fields, types,
defaults and checks, so that each value is described in one place only.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    create_model,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from trigreason.budget import Budget
from trigreason.configuration.gateway import GatewaySettings, Variable
from trigreason.configuration.problems import nearest, shown
from trigreason.engines.base import LogprobScale, Sampling
from trigreason.engines.breaker import Breaker
from trigreason.engines.connect import MAKERS
from trigreason.engines.embedded.options import LlamaCppOptions
from trigreason.engines.http import Timeouts
from trigreason.engines.hub import HubName, is_hub_name
from trigreason.engines.pooling import PrmPrompt
from trigreason.failure import FailurePolicy
from trigreason.hiding import Hiding
from trigreason.pairs import JudgePrompt
from trigreason.reasoning import KNOWN_TAGS, Author, Prices, StepBreak, Thresholds
from trigreason.reasoning.top_logprobs import MOST_LIKELY

BUNDLED = "bundled"
"""The name of the bundled pair."""

OF_SERVERS = ("model", "dialect", "api_key_env", "session_header", "timeouts")
"""Keys that do not apply to a file that is loaded into this process."""

OF_FILES = ("llama_cpp", "draft")
"""Keys that do not apply to a server."""

_STRICT = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, arbitrary_types_allowed=True)
_NOT_CONFIGURED = {"clock"}
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_TAKEN_HEADERS = re.compile(
    "accept|authorization|connection|cookie|expect|host|te|trailer|transfer-encoding|upgrade"
    "|(accept|content|proxy)-.*"
)


@dataclass(frozen=True)
class Runtime:
    """Reads a table as the annotated runtime object; ``make`` constructs it."""

    make: Callable[[Mapping[str, Any]], Any] | None = None

    def __get_pydantic_core_schema__(self, kind: type, handler: GetCoreSchemaHandler) -> CoreSchema:
        make = self.make or (lambda values: kind(**values))
        fields: Any = {
            name: (parameter.annotation, _default(parameter))
            for name, parameter in _parameters(kind).items()
        }
        table = create_model(kind.__name__, __config__=_STRICT, **fields)

        def build(read: BaseModel) -> Any:
            return make({name: getattr(read, name) for name in read.model_fields_set})

        return core_schema.no_info_after_validator_function(build, handler.generate_schema(table))


def _parameters(kind: type) -> dict[str, inspect.Parameter]:
    parameters = inspect.signature(kind, eval_str=True).parameters
    return {name: value for name, value in parameters.items() if name not in _NOT_CONFIGURED}


def _default(parameter: inspect.Parameter) -> Any:
    return ... if parameter.default is parameter.empty else parameter.default


def _server(url: str) -> str:
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        port_is_fine = False
    if not port_is_fine or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a URL such as http://localhost:8000/v1")
    if "@" in parts.netloc:
        raise ValueError(
            "must not hold a password; put the key into an environment variable, "
            "and the variable's name into api_key_env"
        )
    if parts.query or parts.fragment:
        raise ValueError("must end with the path, usually /v1; no ? and no # after it")
    return url


def _dialect(name: str) -> str:
    if name not in MAKERS:
        raise ValueError(f"no dialect is called {shown(name)}; {nearest(name, MAKERS)}")
    return name


def _session_header(name: str) -> str:
    """Raises ValueError if it is not a header's name, or one that has another meaning already."""
    if name and not _HEADER_NAME.fullmatch(name):
        raise ValueError("must be the name of an HTTP header, such as x-session-id")
    if _TAKEN_HEADERS.fullmatch(name.lower()):
        raise ValueError(f"{name} has another meaning; give a header such as x-session-id")
    return name


def _model_file(file: Path) -> Path:
    if is_hub_name(file):
        HubName.parse(file)
    return file


def _not_below_0(prices: Prices) -> Prices:
    for name, value in asdict(prices).items():
        if value is not None and value < 0:
            raise ValueError(f"the price of {name.replace('_', ' ')} must be 0 or more")
    return prices


Text = Annotated[str, Field(min_length=1)]


IN_THE_OPEN = "open"
"""The value of ``thinking`` for a model that thinks without tags."""


def _thinking(form: str) -> str:
    forms = (IN_THE_OPEN, *(tags.opening for tags in KNOWN_TAGS))
    if form not in forms:
        choices = ", ".join(forms)
        raise ValueError(f"no model is known to think as {shown(form)}; give one of {choices}")
    return form


class EngineSettings(BaseModel):
    """One model: its place, its API, its thinking tags, its prices.

    ``session_header`` names the header of a run's session; "" sends none. ``thinking`` is ``open``
    or the opening tag; without it the chat template decides. ``draft`` is the engine whose file is
    the draft model.
    """

    model_config = _STRICT

    url: Annotated[str, AfterValidator(_server)] | None = None
    file: Annotated[Path, AfterValidator(_model_file)] | None = None
    model: Text | None = None
    dialect: Annotated[str, AfterValidator(_dialect)] | None = None
    api_key_env: Variable | None = None
    session_header: Annotated[str, AfterValidator(_session_header)] | None = None
    template: Text | None = None
    thinking: Annotated[str, AfterValidator(_thinking)] | None = None
    logprob_scale: LogprobScale | None = None
    context_tokens: Annotated[int, Field(ge=1)] | None = None
    llama_cpp: Annotated[LlamaCppOptions, Runtime()] = Field(default_factory=LlamaCppOptions)
    draft: Text | None = None
    timeouts: Annotated[Timeouts, Runtime()] = Field(default_factory=Timeouts)
    breaker: Annotated[Breaker, Runtime()] = Field(default_factory=Breaker, repr=False)
    prices: Annotated[Prices, Runtime(), AfterValidator(_not_below_0)] | None = None

    @model_validator(mode="after")
    def _one_place(self) -> EngineSettings:
        if (self.url is None) is (self.file is None):
            raise ValueError("needs either url (of a server) or file (a GGUF file, or hf:ORG/REPO)")
        if self.file is not None:
            for key in OF_SERVERS:
                if key in self.model_fields_set:
                    raise ValueError(f"{key} is of no use with file; take it out, or give a url")
        else:
            for key in OF_FILES:
                if key in self.model_fields_set:
                    raise ValueError(f"{key} is of no use with url; take it out, or give a file")
        return self

    def __str__(self) -> str:
        if self.file is not None:
            return str(self.file)
        return f"{self.model} at {self.url}" if self.model else f"{self.url}"


class ScorerSettings(BaseModel):
    """A pair's scorer, a process reward model on a vLLM server: its place and its price.

    ``price`` is in USD per million tokens that it reads.
    """

    model_config = _STRICT

    url: Annotated[str, AfterValidator(_server)]
    model: Text | None = None
    api_key_env: Variable | None = None
    prompt: Annotated[PrmPrompt, Runtime()] = Field(default_factory=PrmPrompt)
    timeouts: Annotated[Timeouts, Runtime()] = Field(default_factory=Timeouts)
    breaker: Annotated[Breaker, Runtime()] = Field(default_factory=Breaker, repr=False)
    price: Annotated[float, Field(ge=0)] | None = None

    def __str__(self) -> str:
        return f"{self.model} at {self.url}" if self.model else self.url


def srm_with_draft(name: str, draft: str) -> str:
    """Why an engine with a draft model cannot be an SRM."""
    return (
        f"the SRM's logprobs are needed, and llama.cpp gives no true ones for {shown(name)}, "
        f"which drafts with {shown(draft)}; take draft out, or use it as the LRM only"
    )


class PairSettings(BaseModel):
    """Two engines by name, and the settings of their runs.

    ``bound_answer`` is who writes an answer that must fit a schema.
    """

    model_config = _STRICT

    srm: Text
    lrm: Text
    step_break: StepBreak = StepBreak.BLANK_LINE
    alternatives: Annotated[int, Field(ge=0, le=MOST_LIKELY)] = MOST_LIKELY
    logprob_scale: LogprobScale = LogprobScale.RAW
    thresholds: Annotated[Thresholds, Runtime(Thresholds.from_json)] = Field(
        default_factory=Thresholds
    )
    budget: Annotated[Budget, Runtime()] = Field(default_factory=Budget)
    sampling: Annotated[Sampling, Runtime()] = Field(default_factory=Sampling)
    judge: Annotated[JudgePrompt, Runtime()] = Field(default_factory=JudgePrompt)
    bound_answer: Author = Author.LRM
    failure: Annotated[FailurePolicy, Runtime()] = Field(default_factory=FailurePolicy)
    hiding: Annotated[Hiding, Runtime()] = Field(default_factory=Hiding)
    scorer: ScorerSettings | None = None


class Settings(BaseModel):
    """A whole configuration."""

    model_config = _STRICT

    default_pair: Text = BUNDLED
    engines: dict[str, EngineSettings] = Field(default_factory=dict)
    pairs: dict[str, PairSettings] = Field(default_factory=dict)
    gateway: GatewaySettings = Field(default_factory=GatewaySettings)


KeyPath = tuple[str, ...]

ANY_NAME = "*"
"""In a key path, stands for the user's name of an engine or a pair."""


def fields_of(kind: Any) -> dict[str, Any]:
    """A table's keys and the kinds of their values; empty for a plain value."""
    kind = _plain(kind)
    if get_origin(kind) is dict:
        return {ANY_NAME: get_args(kind)[1]}
    if not isinstance(kind, type):
        return {}
    if issubclass(kind, BaseModel):
        return {name: field.annotation for name, field in kind.model_fields.items()}
    if is_dataclass(kind) or kind is Breaker:
        return {name: parameter.annotation for name, parameter in _parameters(kind).items()}
    return {}


def _plain(kind: Any) -> Any:
    """A kind without annotations and without ``| None``."""
    while get_origin(kind) in (Annotated, Union, UnionType):
        kind = get_args(kind)[0]
    return kind


def all_keys(kind: Any = Settings, path: KeyPath = ()) -> Iterator[KeyPath]:
    """The paths of all values that can be set, with ``ANY_NAME`` for names."""
    fields = fields_of(kind)
    if not fields:
        yield path
    for name, inner in fields.items():
        yield from all_keys(inner, (*path, name))


def keys_at(path: KeyPath) -> list[str]:
    """The keys of the table at a path of a configuration."""
    kind: Any = Settings
    for part in path:
        fields = fields_of(kind)
        kind = fields.get(part, fields.get(ANY_NAME))
    return list(fields_of(kind))
