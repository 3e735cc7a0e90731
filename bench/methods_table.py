"""The table of the methods' benchmark, and what stands after many comparisons."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table

from bench.methods_rows import API, DEPLOYMENTS, Row
from trigreason.evaluation.statistics import Difference, Estimate
from trigreason.reasoning import Author, Direction


def coin_beside(row: Row, rows: Sequence[Row]) -> Row | None:
    """The row of ``random`` whose LRM share is closest to that of ``row``."""
    coins = [each for each in rows if each.setting.method == "random"]
    if row.setting.method in ("srm", "lrm", "random") or not coins:
        return None
    return min(coins, key=lambda coin: abs(coin.lrm_share - row.lrm_share))


def table_of(rows: Sequence[Row]) -> Table:
    """A line for each row; the rows are simulated."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("method")
    for head in (
        *("LRM share", "right %", "minus random", "p", "LRM tokens", "requests"),
        *(f"s, {name}" for name in DEPLOYMENTS),
        "USD per 1,000",
    ):
        table.add_column(head, justify="right")
    for row in rows:
        summary = row.summary
        right, coin = summary.accuracy, coin_beside(row, rows)
        difference = row.against(coin) if coin else None
        table.add_row(
            row.label,
            f"{row.lrm_share:.0%}",
            f"{_percent(right)}" if right else "–",
            _points(difference) if difference else "",
            f"{difference.p:.3f}" if difference else "",
            f"{summary.standing[Author.LRM].value:.0f}",
            f"{sum(each.value for each in summary.requests.values()):.1f}",
            *(f"{row.seconds[name]:.2f}" for name in DEPLOYMENTS),
            f"{1000 * row.usd[API]:.3f}",
        )
    return table


def _percent(share: Estimate) -> str:
    return f"{100 * share.value:.1f} ({100 * share.low:.0f}–{100 * share.high:.0f})"


def _points(difference: Difference) -> str:
    low, high = 100 * difference.low, 100 * difference.high
    return f"{100 * difference.value:+.1f} ({low:+.0f} to {high:+.0f})"


def on_many_comparisons(rows: Sequence[Row]) -> str:
    """Which differences stand if all comparisons are counted (Holm 1979)."""
    tested = [
        (difference.p, row)
        for row in rows
        if (coin := coin_beside(row, rows)) and (difference := row.against(coin))
    ]
    if not tested:
        return "There are no runs of random yet to compare with."
    standing: list[str] = []
    for rank, (p, row) in enumerate(sorted(tested, key=lambda each: each[0])):
        if p * (len(tested) - rank) >= 0.05:
            break
        standing.append(f"{row.label} at {row.lrm_share:.0%}")
    names = ", ".join(standing) or "none"
    return (
        f"{len(tested)} rows are compared with random, each with the row of the closest LRM share; "
        f"after Holm's correction these differ from it: {names}."
    )


def learned_against_triggers(rows: Sequence[Row]) -> Iterator[str]:
    """The learned risk against the paper's triggers: the rows of the closest LRM share."""
    for side in Direction:
        triggers = [
            row
            for row in rows
            if row.setting.method == "trigreason" and row.setting.thresholds.direction is side
        ]
        for row in rows:
            if row.setting.method != "learned":
                continue
            other = min(triggers, key=lambda other: abs(other.lrm_share - row.lrm_share))
            difference = row.against(other)
            assert difference is not None, "both answered the same questions"
            yield (
                f"Learned at {row.lrm_share:.0%} minus {other.label} at {other.lrm_share:.0%}: "
                f"{_points(difference)} points, p = {difference.p:.3f}"
            )
