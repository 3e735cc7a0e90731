"""``trigreason paper``: the paper's tables and figures, measured on a pair."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from trigreason.cli import options
from trigreason.cli.chosen_pair import given_engine
from trigreason.cli.console import print_json, screen
from trigreason.cli.extra import needs
from trigreason.cli.failures import FAILURES, one_line
from trigreason.cli.fetching import fetch_models
from trigreason.cli.options import as_wrong_use
from trigreason.cli.words import counted
from trigreason.configuration import BUNDLED, planned_pair, read_configuration
from trigreason.reasoning import Author

if TYPE_CHECKING:
    from trigreason.evaluation.arms import Arm
    from trigreason.evaluation.comparison import ArmOutcome, Plan
    from trigreason.paper.item import Item
    from trigreason.paper.reproduction import Reproduction
    from trigreason.paper.running import Compare

paper_commands = typer.Typer()

_size = partial(typer.Option, rich_help_panel="Sizes")

Quick = Annotated[
    bool,
    typer.Option("--quick", help="The bundled pair, few questions: minutes on a laptop."),
]
Pairs = Annotated[
    list[str] | None,
    typer.Option(
        "--pair",
        metavar="NAME",
        help="A pair of the configuration; may be given several times. Default: its default pair.",
    ),
]
Out = Annotated[
    Path,
    typer.Option(
        "--out", metavar="DIR", help="Results go here; logs too, so that nothing is run twice."
    ),
]
Data = Annotated[
    str | None,
    typer.Option(
        metavar="PATH",
        help="A file or folder with the published questions. Default: the hub, and with --quick "
        "the problems that come along.",
    ),
]
Tasks = Annotated[
    list[str] | None,
    _size(
        "--task",
        metavar="TASK",
        help="In the place of the item's own tasks; may be given several times.",
    ),
]
Limit = Annotated[
    int | None,
    _size(
        min=1,
        metavar="QUESTIONS",
        help="Questions of each task. Default: the item's.",
    ),
]
Epochs = Annotated[
    int | None,
    _size(
        min=1,
        metavar="ANSWERS",
        help="Answers to each question. Default: the item's; mostly 16, as in the paper.",
    ),
]
Budget = Annotated[
    int | None,
    _size(
        min=1,
        metavar="TOKENS",
        help="Tokens of thinking. Default: the item's; 8192, as in the paper.",
    ),
]
Connections = Annotated[
    int | None, typer.Option(min=1, metavar="RUNS", help="Runs at once. Default: 16.")
]
Judges = Annotated[
    list[str] | None,
    typer.Option(
        "--judge",
        metavar="ENGINE",
        help="A further judge for fig2a: an engine of the configuration, or MODEL@URL; may be "
        "given several times.",
    ),
]
Measured = Annotated[
    bool,
    typer.Option(
        "--measured",
        help="fig1, fig2c, fig2d: recorded seconds and USD, instead of the runs under a simulated "
        "deployment.",
    ),
]


@paper_commands.callback(invoke_without_command=True)
def paper(context: typer.Context) -> None:
    """The paper's tables and figures, measured on a pair."""
    if context.invoked_subcommand is None:
        print(context.get_help())


@paper_commands.command("list")
def list_items(*, as_json: options.Json = False) -> None:
    """List the items, with how many arms and answers each has."""
    with needs("evaluation"):
        from trigreason.cli.paper_tables import show_catalogue
        from trigreason.paper.item_files import catalogue
    items = list(catalogue().values())
    if as_json:
        print_json({"items": [item.model_dump(exclude_none=True) for item in items]})
    else:
        show_catalogue(items)


@paper_commands.command("run")
def run_items(
    items: Annotated[list[str], typer.Argument(metavar="ITEM", help="See trigreason paper list.")],
    *,
    quick: Quick = False,
    pair: Pairs = None,
    data: Data = None,
    out: Out = Path("paper"),
    measured: Measured = False,
    judge: Judges = None,
    task: Tasks = None,
    limit: Limit = None,
    epochs: Epochs = None,
    budget: Budget = None,
    seed: options.Seed = 0,
    connections: Connections = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Carry out items: their runs, numbers, table and figure."""
    with needs("evaluation"):
        from trigreason.paper.item import TIMED
        from trigreason.paper.item_files import chosen
    with as_wrong_use():
        picked = chosen(items)
        _check_used(
            picked,
            {"--judge": (("judges",), bool(judge)), "--measured": (TIMED, measured)},
        )
    wanted = _wanted(
        pair, config, judge, quick=quick, data=data, out=out, measured=measured, limit=limit,
        epochs=epochs, budget=budget, seed=seed, connections=connections, tasks=tuple(task or ()),
    )  # fmt: skip
    _carry_out(picked, wanted, as_json)


@paper_commands.command("all")
def run_all(
    *,
    quick: Quick = False,
    pair: Pairs = None,
    data: Data = None,
    out: Out = Path("paper"),
    measured: Measured = False,
    judge: Judges = None,
    task: Tasks = None,
    limit: Limit = None,
    epochs: Epochs = None,
    budget: Budget = None,
    seed: options.Seed = 0,
    connections: Connections = None,
    config: options.Config = None,
    as_json: options.Json = False,
) -> None:
    """Carry out every item, and write one page with all results."""
    with needs("evaluation"):
        from trigreason.paper.item_files import catalogue
    wanted = _wanted(
        pair, config, judge, quick=quick, data=data, out=out, measured=measured, limit=limit,
        epochs=epochs, budget=budget, seed=seed, connections=connections, tasks=tuple(task or ()),
    )  # fmt: skip
    _carry_out(list(catalogue().values()), wanted, as_json)


def _check_used(items: Sequence[Item], flags: Mapping[str, tuple[Sequence[str], bool]]) -> None:
    """Raises ValueError for a given flag that applies to none of the items."""
    for flag, (kinds, is_given) in flags.items():
        if is_given and all(item.kind not in kinds for item in items):
            named = ", ".join(item.id for item in items)
            raise ValueError(f"{flag} means nothing to {named}; leave it out")


def _wanted(
    pairs: Sequence[str] | None,
    config: Path | None,
    judges: Sequence[str] | None,
    *,
    quick: bool,
    **sizes: Any,
) -> Reproduction:
    from trigreason.paper.reproduction import Reproduction

    configuration = read_configuration(config, os.environ)
    names = pairs or ([BUNDLED] if quick else [configuration.settings.default_pair])
    with as_wrong_use():
        planned = tuple(planned_pair(configuration, name) for name in names)
        engines = tuple(
            given_engine(Author.LRM, name, configuration, os.environ) for name in judges or ()
        )
        return Reproduction(
            pairs=planned, judges=engines, quick=quick, config=configuration.file, **sizes
        )


def _carry_out(items: Sequence[Item], wanted: Reproduction, as_json: bool) -> None:
    """Carry out one item after the other; one that fails does not stop the others."""
    for pair in wanted.pairs:
        fetch_models(pair, quiet=as_json)
    with needs("evaluation"):
        from trigreason.cli.paper_tables import show
        from trigreason.paper.running import carry_out
        from trigreason.paper.writing import write, write_index

    done: list[dict[str, Any]] = []
    failed: dict[str, str] = {}
    for item in items:
        _tell(f"{item.id}: {item.title}")
        try:
            result = carry_out(item, wanted, _compare_for(item), _tell)
        except KeyboardInterrupt as interruption:
            kept = f"what is finished is in {wanted.out / 'logs'}; the same command goes on there"
            raise KeyboardInterrupt(kept) from interruption
        except FAILURES as error:
            if len(items) == 1:
                raise
            failed[item.id] = one_line(error)
            _tell(f"{item.id} failed: {failed[item.id]}")
            continue
        files = write(result, wanted.out)
        done.append(result.to_json() | {"files": [str(file) for file in files]})
        if not as_json:
            show(result, files)
    if done:
        index = write_index(wanted.out)
    if as_json:
        print_json({"items": done, "failed": failed})
    elif done and len(items) > 1:
        screen().print(Text(f"{counted(len(done), 'item')} on one page: {index}", "bold"))
    if complaint := _complaint(failed, sum(bool(each["missing"]) for each in done)):
        _tell(complaint)
        raise typer.Exit(1)


def _complaint(failed: Mapping[str, str], incomplete: int) -> str | None:
    """A line on items that failed or are incomplete; None if there are none."""
    parts = []
    if failed:
        parts.append(f"{counted(len(failed), 'item')} failed: {', '.join(failed)}")
    if incomplete:
        parts.append(
            f"answers are missing from {counted(incomplete, 'item')}; "
            "the same command tries them again"
        )
    return "; ".join(parts) or None


def _compare_for(item: Item) -> Compare:
    """A function that runs a comparison, showing its progress under the item's name."""
    from trigreason.cli.comparison_progress import Watching
    from trigreason.cli.model_loading import loaded_files
    from trigreason.evaluation.comparison import compare

    def watched(plan: Plan, names: Mapping[Arm, str]) -> list[ArmOutcome]:
        title = f"{item.id} · {plan.pair.name} · {plan.task}"
        files = loaded_files(plan.pair, frozenset(Author))
        with Watching(title, names, files=files) as watching:
            return compare(plan, watching)

    return watched


def _tell(line: str) -> None:
    print(f"trigreason: {line}", file=sys.stderr, flush=True)
