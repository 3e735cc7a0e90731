"""The pair that ``--pair``, ``--srm`` and ``--lrm`` select."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from trigreason.cli.options import WrongUse
from trigreason.configuration import (
    BUNDLED,
    Configuration,
    PairSettings,
    PlannedEngine,
    PlannedPair,
    engine_at,
    nearest,
    planned_engine,
    planned_pair,
    scorer_at,
)
from trigreason.engines.connect import as_file, is_url
from trigreason.engines.hub import is_hub_name
from trigreason.engines.refusals import no_scorer
from trigreason.reasoning import Author, Thresholds, make_method
from trigreason.reasoning.methods import method_title

UNNAMED = "pair"
"""The name of a pair that consists of --srm and --lrm alone."""

SCORER_KEY = "TRIGREASON_SCORER_API_KEY"
"""The variable of the key for ``--scorer``."""


def chosen_pair(
    configuration: Configuration,
    name: str | None,
    models: Mapping[Author, str | None],
    environ: Mapping[str, str],
) -> PlannedPair:
    """The pair called ``name`` (or else the default one) with the ``models`` that are given.

    If both models are given without a name, nothing of the default pair is used.

    Raises:
        WrongUse: there is no such pair or model, or models are given for the bundled pair.
        ConfigurationError: the value for a model is invalid.
    """
    given = {
        author: given_engine(author, model, configuration, environ)
        for author, model in models.items()
        if model is not None
    }
    default = configuration.settings.default_pair
    if name is None and (len(given) == len(Author) or (given and default == BUNDLED)):
        return PlannedPair(UNNAMED, PairSettings(srm="--srm", lrm="--lrm"), given)
    try:
        pair = planned_pair(configuration, name or default)
    except ValueError as error:
        raise WrongUse(str(error)) from error
    if given and pair.is_bundled:
        raise WrongUse(f"the {BUNDLED} pair comes with its models; leave out --pair, or the models")
    return replace(pair, engines={**pair.engines, **given})


def given_engine(
    author: Author, model: str, configuration: Configuration, environ: Mapping[str, str]
) -> PlannedEngine:
    """An engine of the configuration by its name, or else a URL, MODEL@URL, file or hf: name.

    Raises:
        WrongUse: it is none of these.
        ConfigurationError: the URL is invalid.
    """
    if model in configuration.settings.engines:
        return planned_engine(configuration, model)
    flag = f"--{author}"
    if configuration.settings.engines and not is_url(model) and not is_hub_name(model):
        file = as_file(model)
        if file.name == model and not file.exists():
            near = nearest(model, configuration.settings.engines)
            raise WrongUse(f"{flag}: no engine and no file is called {model!r}; {near}")
    variable = f"TRIGREASON_{author.upper()}_API_KEY"
    has_key = is_url(model) and bool(environ.get(variable))
    return engine_at(model, flag, **({"api_key_env": variable} if has_key else {}))


def with_scorer(pair: PlannedPair, scorer: str | None, environ: Mapping[str, str]) -> PlannedPair:
    """The pair with the scorer that ``--scorer`` names, as URL or MODEL@URL, if it names one.

    Raises:
        WrongUse: it is no URL.
        ConfigurationError: the URL is invalid.
    """
    if scorer is None:
        return pair
    if not is_url(scorer):
        raise WrongUse(f"--scorer: {scorer!r} is no URL such as http://localhost:8003")
    keys = {"api_key_env": SCORER_KEY} if environ.get(SCORER_KEY) else {}
    return replace(pair, scorer=scorer_at(scorer, "--scorer", **keys))


def check_scorer(pair: PlannedPair, method: str, thresholds: Thresholds) -> None:
    """Raises WrongUse if the method needs a scorer and the pair has none."""
    if pair.scorer is None and make_method(method, thresholds).needs_scorer:
        raise WrongUse(str(no_scorer(pair.name, method_title(method))))


def check_models(pair: PlannedPair, needed: frozenset[Author], method: str) -> None:
    """Refuse a pair that lacks a model that the method needs, or has a file that is no model.

    Raises:
        WrongUse: a model that the method needs is not named.
        ConfigurationError: a file that is named is no GGUF model.
    """
    if pair.is_bundled:
        return
    for author in sorted(needed, reverse=True):
        if author not in pair.engines:
            raise WrongUse(
                f"--method {method} needs the {author.upper()} as well: "
                f"add --{author} with a GGUF file, hf:ORG/REPO, URL, MODEL@URL or an engine's name"
            )
        pair.engines[author].check_file()


def described(pair: PlannedPair) -> str:
    """A pair and its models in one line; a model that was given as a flag has no name."""
    models = (f"{author.upper()} {_named(engine)}" for author, engine in pair.engines.items())
    names = [] if pair.name == UNNAMED else [f"pair {pair.name}"]
    scorer = [] if pair.scorer is None else [f"scorer {pair.scorer}"]
    return " · ".join([*names, *models, *scorer])


def _named(engine: PlannedEngine) -> str:
    settings = engine.settings
    model = settings.file.name if settings.file is not None else str(settings)
    return model if engine.name.startswith("--") else f"{engine.name} ({model})"
