"""Simulated runs as tables and JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.table import Table

from trigreason.cli.words import counted, percent, settings
from trigreason.evaluation.statistics import Estimate, mean_of
from trigreason.reasoning import Author
from trigreason.reasoning.methods import method_title
from trigreason.studies.simulation import Deployment, Server
from trigreason.studies.simulation.arms import SimulatedArm, baselines, quantiles, saved

ASSUMPTION = (
    "Simulated: the recorded steps on another clock, each run from an empty cache, no failures."
)


def shown(name: str, deployment: Deployment, arms: Sequence[SimulatedArm]) -> list[RenderableType]:
    """The deployment in words, and tables: seconds, costs, and the arms against each other."""
    labels = _labels(arms)
    return [
        f"{name}: {deployment.description}" if deployment.description else name,
        *(f"  {author.upper()}: {_in_words(deployment.server(author))}" for author in Author),
        "",
        _times(arms, labels),
        _costs(arms, labels, _is_paid(deployment)),
        *_changes(arms, labels, _is_paid(deployment)),
        ASSUMPTION,
    ]


def told(name: str, deployment: Deployment, arms: Sequence[SimulatedArm]) -> dict[str, Any]:
    """The same as plain values: seconds, fractions of 1, USD per run."""
    labels = _labels(arms)
    return {
        "deployment": {"name": name, **asdict(deployment)},
        "arms": [
            {
                "pair": each.arm.pair,
                "method": each.arm.method,
                "thresholds": each.arm.thresholds.to_json(),
                "request_per_step": each.arm.request_per_step,
                "seconds": _plain(mean_of(each.seconds)),
                **quantiles(each.seconds)._asdict(),
                "waiting_share": _plain(mean_of(each.waiting)),
                "lrm_requests": _plain(mean_of(each.lrm_requests)),
                "usd": _plain(mean_of(each.usd)),
                "saved": [
                    {
                        "against": labels[id(other)],
                        "seconds": saved(each.seconds, other.seconds),
                        "usd": saved(each.usd, other.usd),
                    }
                    for other in baselines(each, arms)
                ],
            }
            for each in arms
        ],
    }


def _times(arms: Sequence[SimulatedArm], labels: dict[int, str]) -> Table:
    table = _table("", "runs", "seconds (95 %)", "p50", "p95", "waiting")
    for each in arms:
        seconds, middle = mean_of(each.seconds), quantiles(each.seconds)
        table.add_row(
            labels[id(each)],
            f"{seconds.samples:,}",
            _with_interval(seconds),
            f"{middle.p50:.2f}",
            f"{middle.p95:.2f}",
            percent(mean_of(each.waiting).value),
        )
    return table


def _costs(arms: Sequence[SimulatedArm], labels: dict[int, str], is_paid: bool) -> Table:
    table = _table("", "LRM requests", *["USD per 1,000 (95 %)"][:is_paid])
    for each in arms:
        cells = [labels[id(each)], f"{mean_of(each.lrm_requests).value:.1f}"]
        if is_paid:
            cells.append(_with_interval(mean_of(each.usd), 1000))
        table.add_row(*cells)
    return table


def _changes(arms: Sequence[SimulatedArm], labels: dict[int, str], is_paid: bool) -> list[Table]:
    """A table of each arm against its baselines; no table without baselines."""
    table = _table("", "against", "seconds", *["USD"][:is_paid])
    table.columns[1].justify = "left"
    for each in arms:
        for other in baselines(each, arms):
            cells = [labels[id(each)], labels[id(other)]]
            cells.append(_change(saved(each.seconds, other.seconds)))
            if is_paid:
                cells.append(_change(saved(each.usd, other.usd)))
            table.add_row(*cells)
    return [table] if table.row_count else []


def _is_paid(deployment: Deployment) -> bool:
    return any(deployment.server(author).prices for author in Author)


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD)
    for place, heading in enumerate(headings):
        table.add_column(heading, justify="right" if place else "left", no_wrap=bool(place))
    return table


def _labels(arms: Sequence[SimulatedArm]) -> dict[int, str]:
    """By an arm's ``id``, the shortest name that distinguishes it from the other arms."""
    labels: dict[int, str] = {}
    several_pairs = len({each.arm.pair for each in arms}) > 1
    for each in arms:
        alike = [other.arm for other in arms if other.arm.method == each.arm.method]
        parts = [method_title(each.arm.method)]
        if several_pairs:
            parts.insert(0, each.arm.pair)
        if len({other.thresholds for other in alike}) > 1:
            parts.append(settings(each.arm.method, each.arm.thresholds))
        if each.arm.request_per_step:
            parts.append("per step")
        labels[id(each)] = ", ".join(filter(None, parts))
    return labels


def _in_words(server: Server) -> str:
    """What a server is assumed to do, without what takes no time."""
    parts: list[str | None] = [
        _seconds("round trip", server.round_trip),
        _seconds("first token after", server.first_token),
        f"writes {server.token_rate:g} tokens/s" if server.token_rate else None,
        f"reads {server.prefill_rate:,g} tokens/s" if server.prefill_rate else None,
        _cache(server),
    ]
    if prices := server.prices:
        hit = prices.input if prices.cached_input is None else prices.cached_input
        parts.append(f"USD {prices.input:g} in, {hit:g} cached, {prices.output:g} out per million")
    return ", ".join(filter(None, parts))


def _cache(server: Server) -> str:
    if not server.cache:
        return "no cache"
    if server.cache_unit == 1:
        return "cache"
    return f"cache in units of {counted(server.cache_unit, 'token')}"


def _seconds(name: str, seconds: float) -> str | None:
    return f"{name} {seconds:g} s" if seconds else None


def _with_interval(estimate: Estimate, factor: float = 1.0) -> str:
    """A mean, and its interval if it has one."""
    value, low, high = (factor * each for each in estimate[:3])
    return f"{value:.2f} ({low:.2f}–{high:.2f})" if estimate.has_interval else f"{value:.2f}"


def _plain(estimate: Estimate) -> dict[str, float | None]:
    values: dict[str, float | None] = estimate._asdict()
    return values if estimate.has_interval else values | {"low": None, "high": None}


def _change(share: float | None) -> str:
    """A saved share as a change: a saving is negative."""
    if share is None:
        return "–"
    size = percent(abs(share))
    if size == percent(0):
        return size
    return ("\N{MINUS SIGN}" if share > 0 else "+") + size
