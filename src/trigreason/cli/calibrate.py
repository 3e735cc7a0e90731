"""``trigreason calibrate``: thresholds that fit a pair, with the evidence for them."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from trigreason.budget import Budget
from trigreason.cli import options
from trigreason.cli.chosen_pair import chosen_pair
from trigreason.cli.extra import needs
from trigreason.cli.fetching import fetch_models
from trigreason.cli.options import WrongUse, as_wrong_use
from trigreason.configuration import Configuration, PlannedPair, read_configuration
from trigreason.reasoning import method_entry

LABEL_FREE = "From recorded runs"
LABELLED = "By a search with labels"
_labelled = partial(typer.Option, rich_help_panel=LABELLED)
OUT = Path("calibration")


def calibrate(
    context: typer.Context,
    logs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="LOGS",
            help="Recorded runs of the SRM, files or folders; only --method learned looks at "
            "their outcomes.",
        ),
    ] = None,
    *,
    method: options.Method = "trigreason",
    lrm_share: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="The share of the thinking that the LRM is to write, such as 0.3; ρ and k follow. "
            "Optional with --method steer and relaygen.",
            rich_help_panel=LABEL_FREE,
        ),
    ] = None,
    n: options.N = None,
    tau: options.Tau = None,
    direction: options.Side = None,
    m: options.M = None,
    task: Annotated[
        str | None,
        _labelled(
            metavar="TASK",
            help="Search on questions with known answers: aime24, aime25, gsm8k, math500, "
            "gpqa_diamond, bbh, arc_challenge or bundled.",
        ),
    ] = None,
    data: Annotated[
        str | None,
        _labelled(
            metavar="PATH",
            help="A file or folder with the published questions; hub fetches them. Default: the "
            "hub, and for bundled the problems that come along.",
        ),
    ] = None,
    limit: Annotated[
        int | None,
        _labelled(
            min=4,
            metavar="QUESTIONS",
            help="At most so many questions, as many of each group. Default: all.",
        ),
    ] = None,
    held_out: Annotated[
        float,
        _labelled(metavar="SHARE", help="The share of questions that only measures the result."),
    ] = 0.5,
    trials: Annotated[
        int,
        _labelled(min=1, metavar="SETTINGS", help="Settings to draw."),
    ] = 40,
    epochs: Annotated[
        int,
        _labelled(min=1, metavar="ANSWERS", help="Answers to each question under each setting."),
    ] = 1,
    thrift: Annotated[
        Literal["smt", "usd"],
        _labelled(
            "--against",
            help="What accuracy is weighed against: the SRM's share of the thinking, or cost.",
        ),
    ] = "smt",
    folder: Annotated[
        Path,
        _labelled(
            "--out",
            metavar="DIR",
            help="Every run is kept here, and none that is here is run again.",
        ),
    ] = OUT,
    connections: Annotated[
        int | None,
        _labelled(min=1, metavar="RUNS", help="Runs at once."),
    ] = None,
    temperature: options.Temperature = None,
    top_p: options.TopP = None,
    thinking_tokens: Annotated[
        int | None,
        options.flag(
            Budget,
            "thinking_tokens",
            "--budget",
            origin="Default: as the pair has it.",
            panel=LABELLED,
        ),
    ] = None,
    answer_tokens: options.AnswerTokens = None,
    pair: options.PairName = None,
    config: options.Config = None,
    seed: options.Seed = 0,
    write: Annotated[
        bool,
        typer.Option(
            "--write", help="Put the thresholds and their evidence into the configuration."
        ),
    ] = False,
    profile_out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write them into a file of their own instead."),
    ] = None,
    figures: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Draw the front into this folder, as PNG and SVG."),
    ] = None,
    as_json: options.Json = False,
) -> None:
    """Find thresholds that fit a pair: from recorded runs alone, or by a search with labels.

    LOGS and --lrm-share choose ρ and k so that the LRM writes that share; no model is needed.

    --method learned also fits the risk that a step is wrong, where outcomes are known.

    --method steer without --lrm-share finds the steps that the SRM is less sure of, and
    --method relaygen the words at the beginning of steps that it is sure of.

    --task searches τ, ρ, direction, n, k and m, and measures what it found on held-out questions.
    """
    _check_use(context, bool(logs), task is not None)
    configuration = read_configuration(config, os.environ)
    plan = chosen_pair(configuration, pair, {}, os.environ)
    if write:
        _check_writing(configuration, plan, profile_out)
    with needs("evaluation"):
        from trigreason.cli.calibrate_outcome import Destination, from_logs, with_labels
        from trigreason.evaluation.questions import load_questions
        from trigreason.studies.calibration.job import Job
    destination = Destination(
        pair=plan.name,
        configuration=configuration.file if write else None,
        profile=profile_out,
        figures=figures,
        as_json=as_json,
    )
    if task is None:
        assert logs, "checked with the use"
        with as_wrong_use():
            base = options.flagged(plan.settings.thresholds, context)
        origin = "as --direction says" if direction else f"as pair {plan.name} has it"
        said = f"direction {base.direction}, {origin}"
        from_logs(logs, method, lrm_share, base, said, seed, destination)
        return
    with as_wrong_use():
        job = Job(
            plan=plan,
            questions=load_questions(task, data, limit=limit, seed=seed),
            sampling=options.changed(plan.settings.sampling, temperature=temperature, top_p=top_p),
            budget=options.flagged(plan.settings.budget, context),
            **options.given(Job, context),
        )
        job.parts()
    fetch_models(plan, quiet=as_json)
    with_labels(job, f"task {task}, {data or _DEFAULT_DATA}", destination)


_DEFAULT_DATA = "its default source"
_OF_LOGS = {"lrm_share", "n", "tau", "direction", "m"}
_FITTED_ALONE = {"confidence", "cues"}
"""The thresholds that recorded runs determine without a wanted share."""
_OF_TASK = {
    "data", "limit", "held_out", "trials", "epochs", "thrift", "folder", "connections",
    "temperature", "top_p", "thinking_tokens", "answer_tokens", "figures",
}  # fmt: skip


def _check_use(context: typer.Context, has_logs: bool, has_task: bool) -> None:
    """Raises WrongUse unless one way of calibrating is meant, with only its own options."""
    if has_logs is has_task:
        raise WrongUse(
            "give recorded runs and --lrm-share, to calibrate without labels, "
            "or --task, to search with them"
        )
    misplaced = _OF_TASK if has_logs else _OF_LOGS
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name)
        if parameter.name in misplaced and source and source.name == "COMMANDLINE":
            belongs = "a search with --task" if has_logs else "a calibration from LOGS"
            raise WrongUse(f"{parameter.opts[0]} belongs to {belongs}; leave it out")
    can_do_without = method_entry(context.params["method"]).decides_by & _FITTED_ALONE
    if has_logs and context.params["lrm_share"] is None and not can_do_without:
        raise WrongUse("--lrm-share is missing: the share of the thinking that the LRM is to write")


def _check_writing(
    configuration: Configuration, plan: PlannedPair, profile_out: Path | None
) -> None:
    """Raises WrongUse where the pair's thresholds cannot be written into a configuration."""
    if profile_out is not None:
        raise WrongUse("--write and --profile-out are two places; choose one of them")
    if plan.name not in configuration.settings.pairs:
        raise WrongUse(
            f"the {plan.name} pair stands in no configuration; write a profile with --profile-out"
        )
    if configuration.file is None:
        raise WrongUse("there is no configuration to write into; give one with --config")
