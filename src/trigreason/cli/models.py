"""``trigreason models``: the presets, and which of their models are on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from trigreason.cli import options
from trigreason.cli.console import print_json, screen
from trigreason.cli.options import WrongUse
from trigreason.cli.words import settings
from trigreason.configuration import Preset, PresetModel, nearest, presets
from trigreason.engines.hub import Hub, HubName, is_hub_name, size_in_words


def models(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Show all details of this one.")
    ] = None,
    *,
    as_json: options.Json = False,
) -> None:
    """List the pairs that need no configuration (--pair NAME), and if their models are cached."""
    known = presets()
    if name is not None and name not in known:
        raise WrongUse(f"no preset is called {name!r}; {nearest(name, known)}")
    if as_json:
        values = {key: _as_json(key, preset) for key, preset in known.items()}
        print_json(values if name is None else values[name])
    elif name is not None:
        _show(name, known[name])
    else:
        screen().print(_table())
        print("trigreason models NAME tells more; trigreason solve --pair NAME uses one.")


def _table() -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    table.add_column("pair", no_wrap=True, style="bold")
    table.add_column("SRM and LRM", overflow="fold")
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("memory", justify="right", no_wrap=True)
    table.add_column("licence", overflow="fold")
    table.add_column("where", no_wrap=True)
    for name, preset in presets().items():
        for title, model in ((name, preset.srm), ("", preset.lrm)):
            table.add_row(
                title,
                model.title,
                _bytes(model.weights),
                _bytes(model.memory),
                model.licence,
                _where(model),
            )
        table.add_row()
    return table


def _show(name: str, preset: Preset) -> None:
    console = screen()
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for role, model in (("SRM", preset.srm), ("LRM", preset.lrm)):
        table.add_row(role, Text(model.title, "bold"))
        for line in _facts(model):
            table.add_row("", line)
    table.add_row("thresholds", settings("trigreason", preset.pair.thresholds))
    table.add_row("", "as in the paper" if preset.evidence == "paper" else preset.evidence)
    console.print(Text(name, "bold"), Text(preset.about), Text(), table, sep="\n")
    if serve := [each.serve for each in (preset.srm, preset.lrm) if each.serve]:
        console.print("\nStart the servers:")
        for command in serve:
            console.print(f"  {command}", soft_wrap=True)
    console.print(f'\ntrigreason solve --pair {name} "…"')


def _facts(model: PresetModel) -> Iterator[str]:
    yield f"{model.engine} ({_where(model)})"
    parameters = f"{model.parameters} parameters, " if model.parameters else ""
    yield f"{parameters}licence {model.licence}"
    if model.memory is not None:
        context = f"with {model.engine.context_tokens:,} tokens of context"
        yield f"{_bytes(model.weights)}; {_bytes(model.memory)} in memory {context}"
    prices = model.engine.prices
    if prices is not None and prices.output:
        costs = f"{prices.input:g} / {prices.cached_input:g} / {prices.output:g}"
        yield f"input / cached / output: {costs} USD per million tokens"


def _where(model: PresetModel) -> str:
    """Where the model is: in the cache, on the hub, or on a server."""
    file = model.engine.file
    if file is None:
        return "server" if model.serve else "API"
    if not is_hub_name(file):
        return "here"
    return "cached" if Hub().cached(HubName.parse(file)) else "to fetch"


def _bytes(size: int | None) -> str:
    return "–" if size is None else size_in_words(size)


def _as_json(name: str, preset: Preset) -> dict[str, Any]:
    return {
        "name": name,
        "about": preset.about,
        "evidence": preset.evidence,
        "thresholds": preset.pair.thresholds.to_json(),
        "logprob_scale": preset.pair.logprob_scale,
        "srm": _model_as_json(preset.srm),
        "lrm": _model_as_json(preset.lrm),
    }


def _model_as_json(model: PresetModel) -> dict[str, Any]:
    return {
        "title": model.title,
        "place": str(model.engine),
        "parameters": model.parameters,
        "licence": model.licence,
        "weights_bytes": model.weights,
        "memory_bytes": model.memory,
        "context_tokens": model.engine.context_tokens,
        "where": _where(model),
        "serve": model.serve,
    }
