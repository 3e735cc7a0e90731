"""The predefined pairs of ``presets.toml``."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from trigreason.configuration.schema import EngineSettings, PairSettings, Text

_STRICT = ConfigDict(extra="forbid", frozen=True)
_Bytes = Annotated[int, Field(ge=1)]


class PresetModel(BaseModel):
    """A model that presets use.

    Attributes:
        parameters: their number, in words; None if unpublished.
        weights: bytes of its file, or of its parameters on a server; None if unpublished.
        cache: bytes of KV cache per token of context; None if unpublished.
        serve: the command that starts its server; None if there is nothing to start.
    """

    model_config = _STRICT

    title: Text
    licence: Text
    engine: EngineSettings
    parameters: Text | None = None
    weights: _Bytes | None = None
    cache: _Bytes | None = None
    serve: Text | None = None

    @property
    def memory(self) -> int | None:
        """Bytes of the weights and one full context, without llama.cpp's buffers."""
        context = self.engine.context_tokens
        if self.weights is None or self.cache is None or context is None:
            return None
        return self.weights + self.cache * context


class Preset(BaseModel):
    """A pair of preset models; ``evidence`` is where its thresholds come from."""

    model_config = _STRICT

    about: Text
    evidence: Literal["paper", "measured", "not yet calibrated"]
    pair: PairSettings

    @property
    def srm(self) -> PresetModel:
        return _read().models[self.pair.srm]

    @property
    def lrm(self) -> PresetModel:
        return _read().models[self.pair.lrm]


class _Presets(BaseModel):
    model_config = _STRICT

    models: dict[str, PresetModel]
    presets: dict[str, Preset]


def presets() -> Mapping[str, Preset]:
    """All presets by their names."""
    return _read().presets


@cache
def _read() -> _Presets:
    text = files("trigreason.configuration").joinpath("presets.toml").read_text("utf-8")
    return _Presets.model_validate_json(json.dumps(tomllib.loads(text)), strict=True)
