"""A pair before its models are opened: which engines, and everything they are to work by."""

from __future__ import annotations

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
    srm_with_draft,
)
from trigreason.engines.base import NotAModel
from trigreason.engines.connect import as_file, is_url
from trigreason.engines.embedded import check_gguf
from trigreason.engines.hub import HubName, fetched, is_hub_name
from trigreason.engines.template_sources import template_from
from trigreason.engines.templates import ChatTemplate, TemplateError
from trigreason.reasoning import Author


@dataclass(frozen=True, slots=True)
class PlannedEngine:
    """An engine by its name; its settings are those ``at`` this path of ``layers``.

    ``serve`` is the command that starts its server, where one is known. ``draft`` drafts
    tokens for it.
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
        """The key, from the variable that the settings name; None where they name none.

        Raises:
            ConfigurationError: the variable is not set, or what it holds can be no key.
        """
        variable = self.settings.api_key_env
        if variable is None:
            return None
        key = environ.get(variable, "").strip()
        if not key:
            raise self.error("api_key_env", f"the environment variable {variable} is not set")
        if not (key.isascii() and key.isprintable()):
            raise self.error("api_key_env", f"what {variable} holds is no key; set it again")
        return key

    def template(self) -> ChatTemplate | None:
        """The chat template that the settings name; None where the model is asked for its own.

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
        """What the model is called on the hub; None where it comes from elsewhere."""
        file = self.settings.file
        return HubName.parse(file) if file is not None and is_hub_name(file) else None

    async def with_file(self) -> PlannedEngine:
        """The same engine with its models on this machine, fetched from the hub where they are not.

        Raises:
            HubError: the model cannot be had.
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
        """Raises ConfigurationError where the settings name a file that is no model.

        A model on the hub is not looked for.
        """
        if self.settings.file is not None and self.hub_name is None:
            try:
                check_gguf(self.settings.file)
            except NotAModel as error:
                raise self.error("file", str(error)) from error
        if self.draft is not None:
            self.draft.check_file()

    def problems(self, environ: Mapping[str, str]) -> Iterator[ConfigurationProblem]:
        """What is missing on this machine for the engine to be opened."""
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
        """What is wrong with a key of the engine, and where it stands."""
        path = (*self.at, key)
        place = self.layers.place(path) or "configuration"
        return ConfigurationError([ConfigurationProblem(place, ".".join(path), what)])


def engine_at(model: str, place: str, **keys: str) -> PlannedEngine:
    """The engine that a URL, MODEL@URL, a GGUF file or hf:ORG/REPO names, as ``place`` says.

    ``keys`` are further settings, by their keys in a configuration.

    Raises:
        ConfigurationError: it can be none.
    """
    layers = Layers()
    if is_url(model):
        name, at, url = model.rpartition("@http")
        layers.put(("url",), f"http{url}" if at else model, place)
        if name:
            layers.put(("model",), name, place)
    else:
        layers.put(("file",), str(as_file(model)), place)
    layers.put((), keys, place)
    settings, problems = validate(EngineSettings, layers)
    if settings is None:
        raise ConfigurationError(problems)
    return PlannedEngine(place, settings, layers)


@dataclass(frozen=True, slots=True)
class PlannedPair:
    """A pair by its name; ``engines`` is empty for the bundled one, which brings its own."""

    name: str
    settings: PairSettings
    engines: Mapping[Author, PlannedEngine] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises ConfigurationError where the SRM has a draft model."""
        srm = self.engines.get(Author.SRM)
        if srm is not None and srm.draft is not None:
            raise srm.error("draft", srm_with_draft(srm.name, srm.draft.name))

    @property
    def is_bundled(self) -> bool:
        return self.name == BUNDLED


def bundled_pair() -> PlannedPair:
    """The pair that comes along, under the thresholds that fit it."""
    settings = PairSettings(srm="srm", lrm="lrm")
    return PlannedPair(BUNDLED, settings.model_copy(update={"thresholds": bundled.profile()}))


def planned_pair(configuration: Configuration, name: str) -> PlannedPair:
    """The pair of this name; one of the configuration goes before a preset.

    Raises:
        ValueError: there is none.
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
    return PlannedPair(name, settings, engines)


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
    """The engine of this name, which there must be."""
    settings = configuration.settings.engines[name]
    at = ("engines", name)
    draft = None
    if settings.draft is not None:
        # a draft model drafts alone, whatever drafts for it elsewhere
        draft = replace(planned_engine(configuration, settings.draft), draft=None)
    return PlannedEngine(name, settings, configuration.layers, at, draft=draft)
