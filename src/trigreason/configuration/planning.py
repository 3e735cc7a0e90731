"""A pair before its models are opened: its engines and all settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from trigreason import bundled
from trigreason.configuration.layers import Layers
from trigreason.configuration.presets import Preset, PresetModel, presets
from trigreason.configuration.problems import (
    ConfigurationError,
    ConfigurationProblem,
    nearest,
    shown,
)
from trigreason.configuration.reading import Configuration, validate
from trigreason.configuration.schema import (
    BUNDLED,
    EngineSettings,
    KeyPath,
    PairSettings,
    ScorerSettings,
    srm_with_draft,
)
from trigreason.engines.base import NotAModel
from trigreason.engines.connect import as_file, is_url
from trigreason.engines.embedded import check_gguf
from trigreason.engines.hub import HubName, fetched, is_hub_name
from trigreason.engines.template_sources import template_from
from trigreason.engines.templates import ChatTemplate, TemplateError
from trigreason.reasoning import Author

_ADDRESS = re.compile(r"(?:\S+@)?[A-Za-z0-9.-]+:\d{1,5}(?:/\S*)?")


@dataclass(frozen=True, slots=True)
class PlannedEngine:
    """A named engine; its settings come from the path ``at`` of ``layers``.

    ``serve`` is the command that starts its server, if it is known. ``draft`` is its draft model.
    """

    name: str
    settings: EngineSettings
    layers: Layers = field(repr=False)
    at: KeyPath = ()
    serve: str | None = field(default=None, repr=False)
    draft: PlannedEngine | None = None

    def __str__(self) -> str:
        return f"{self.name} ({self.settings})"

    def api_key(self, environ: Mapping[str, str]) -> str | None:
        """The API key, from the variable that the settings name; None if they name none.

        Raises:
            ConfigurationError: the variable is not set, or its value cannot be a key.
        """
        return _key(self.settings.api_key_env, environ, self.error)

    def template(self) -> ChatTemplate | None:
        """The chat template that the settings name; None to use the model's own.

        Raises:
            ConfigurationError: it cannot be read.
        """
        if self.settings.template is None:
            return None
        try:
            return template_from(self.settings.template)
        except TemplateError as error:
            raise self.error("template", str(error)) from error

    @property
    def hub_name(self) -> HubName | None:
        """The model's name on the hub; None if it is not from the hub."""
        file = self.settings.file
        return HubName.parse(file) if file is not None and is_hub_name(file) else None

    async def with_file(self) -> PlannedEngine:
        """The same engine with its models on this machine; downloads missing ones from the hub.

        Raises:
            HubError: a model cannot be downloaded.
        """
        draft = await self.draft.with_file() if self.draft else None
        if self.hub_name is None:
            return replace(self, draft=draft)
        file = await fetched(self.hub_name)
        return replace(self, settings=self.settings.model_copy(update={"file": file}), draft=draft)

    @property
    def draft_file(self) -> Path | None:
        """The file of the draft model."""
        return self.draft.settings.file if self.draft else None

    def check_file(self) -> None:
        """Raise ConfigurationError if the settings name a file that is not a model.

        Models on the hub are not checked.
        """
        if self.settings.file is not None and self.hub_name is None:
            try:
                check_gguf(self.settings.file)
            except NotAModel as error:
                raise self.error("file", str(error)) from error
        if self.draft is not None:
            self.draft.check_file()

    def problems(self, environ: Mapping[str, str]) -> Iterator[ConfigurationProblem]:
        """What prevents the engine from being opened on this machine."""
        checks: tuple[Callable[[], object], ...] = (
            lambda: self.api_key(environ),
            self.template,
            self.check_file,
        )
        for check in checks:
            try:
                check()
            except ConfigurationError as error:
                yield from error.problems

    def error(self, key: str, what: str) -> ConfigurationError:
        """The error for a setting of the engine, with the place that sets it."""
        return _error(self.layers, (*self.at, key), what)


@dataclass(frozen=True, slots=True)
class PlannedScorer:
    """A pair's scorer; its settings come from the path ``at`` of ``layers``."""

    settings: ScorerSettings
    layers: Layers = field(repr=False)
    at: KeyPath = ()

    def __str__(self) -> str:
        return str(self.settings)

    def api_key(self, environ: Mapping[str, str]) -> str | None:
        """The API key, as :meth:`PlannedEngine.api_key` reads it."""
        return _key(self.settings.api_key_env, environ, self.error)

    def error(self, key: str, what: str) -> ConfigurationError:
        """The error for a setting of the scorer, with the place that sets it."""
        return _error(self.layers, (*self.at, key), what)


def _key(
    variable: str | None,
    environ: Mapping[str, str],
    error: Callable[[str, str], ConfigurationError],
) -> str | None:
    if variable is None:
        return None
    key = environ.get(variable, "").strip()
    if not key:
        raise error("api_key_env", f"the environment variable {variable} is not set")
    if not (key.isascii() and key.isprintable()):
        raise error("api_key_env", f"what {variable} holds is no key; set it again")
    return key


def _error(layers: Layers, path: KeyPath, what: str) -> ConfigurationError:
    place = layers.place(path) or "configuration"
    return ConfigurationError([ConfigurationProblem(place, ".".join(path), what)])


def engine_at(model: str, place: str, **keys: str) -> PlannedEngine:
    """The engine that a URL, MODEL@URL, a GGUF file or hf:ORG/REPO names.

    ``place`` names the argument in errors. ``keys`` are further settings, by their keys in a
        configuration.

        Raises:
        ConfigurationError: a setting is invalid.
    """
    layers = Layers()
    if is_url(model):
        _put_url(layers, model, place)
    elif _ADDRESS.fullmatch(model) and not as_file(model).exists():
        name, at, address = model.rpartition("@")
        problem = f"{model} is no file; a server is written {name}{at}http://{address}"
        raise ConfigurationError([ConfigurationProblem(place, "", problem)])
    else:
        layers.put(("file",), str(as_file(model)), place)
    layers.put((), keys, place)
    settings, problems = validate(EngineSettings, layers)
    if settings is None:
        raise ConfigurationError(problems)
    return PlannedEngine(place, settings, layers)


def scorer_at(model: str, place: str, **keys: str) -> PlannedScorer:
    """The scorer that a URL or MODEL@URL names; ``place`` and ``keys`` as in :func:`engine_at`.

    Raises:
        ConfigurationError: a setting is invalid.
    """
    layers = Layers()
    _put_url(layers, model, place)
    layers.put((), keys, place)
    settings, problems = validate(ScorerSettings, layers)
    if settings is None:
        raise ConfigurationError(problems)
    return PlannedScorer(settings, layers)


def _put_url(layers: Layers, model: str, place: str) -> None:
    name, at, url = model.rpartition("@http")
    layers.put(("url",), f"http{url}" if at else model, place)
    if name:
        layers.put(("model",), name, place)


@dataclass(frozen=True, slots=True)
class PlannedPair:
    """A named pair; ``engines`` is empty for the bundled one, which has its own."""

    name: str
    settings: PairSettings
    engines: Mapping[Author, PlannedEngine] = field(default_factory=dict)
    scorer: PlannedScorer | None = None

    def __post_init__(self) -> None:
        """Raise ConfigurationError if the SRM has a draft model."""
        srm = self.engines.get(Author.SRM)
        if srm is not None and srm.draft is not None:
            raise srm.error("draft", srm_with_draft(srm.name, srm.draft.name))

    @property
    def is_bundled(self) -> bool:
        return self.name == BUNDLED


def bundled_pair() -> PlannedPair:
    """The bundled pair, with the thresholds that were calibrated for it."""
    settings = PairSettings(srm="srm", lrm="lrm")
    return PlannedPair(BUNDLED, settings.model_copy(update={"thresholds": bundled.profile()}))


def planned_pair(configuration: Configuration, name: str) -> PlannedPair:
    """The pair of this name; a configured pair takes precedence over a preset.

    Raises:
        ValueError: there is no such pair.
    """
    if name == BUNDLED:
        return bundled_pair()
    settings = configuration.settings.pairs.get(name)
    if settings is None and name in presets():
        return _preset_pair(name, presets()[name])
    if settings is None:
        near = nearest(name, configuration.pair_names)
        raise ValueError(f"no pair is called {shown(name)}; {near}")
    engines = {
        Author.SRM: planned_engine(configuration, settings.srm),
        Author.LRM: planned_engine(configuration, settings.lrm),
    }
    scorer = None
    if settings.scorer is not None:
        scorer = PlannedScorer(settings.scorer, configuration.layers, ("pairs", name, "scorer"))
    return PlannedPair(name, settings, engines, scorer)


def _preset_pair(name: str, preset: Preset) -> PlannedPair:
    place = Layers(places={(): f"preset {name}"})

    def engine(key: str, model: PresetModel) -> PlannedEngine:
        return PlannedEngine(key, model.engine, place, serve=model.serve)

    engines = {
        Author.SRM: engine(preset.pair.srm, preset.srm),
        Author.LRM: engine(preset.pair.lrm, preset.lrm),
    }
    return PlannedPair(name, preset.pair, engines)


def planned_engine(configuration: Configuration, name: str) -> PlannedEngine:
    """The engine of this name, which must exist."""
    settings = configuration.settings.engines[name]
    at = ("engines", name)
    draft = None
    if settings.draft is not None:
        # a draft model never has a draft model itself
        draft = replace(planned_engine(configuration, settings.draft), draft=None)
    return PlannedEngine(name, settings, configuration.layers, at, draft=draft)
