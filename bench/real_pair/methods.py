"""The methods of the field on the real pair, each at three LRM shares.

They answer the first evaluated questions of GSM8K. Thresholds and the learned risk are fitted to
the runs of each model alone on the last ones, whose traces have the alternatives of every token.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from bench.methods_rows import SHARES, Row, fitted_risk, fitted_rows
from bench.real_pair.pair import Measured
from bench.real_pair.questions import SETS, Drawn, asked
from bench.real_pair.records import MACHINES, SETTINGS, Ledger, Record, Records
from bench.real_pair.rows import LRM_ONLY, SPECREASON, SRM_ONLY
from bench.real_pair.rows import Row as Wanted
from bench.real_pair.running import AT_ONCE, as_run, make_all, session
from trigreason.evaluation.questions import Question
from trigreason.evaluation.runs import Run
from trigreason.reasoning import Thresholds

DATA = SETS[0]
COMPARED = 40
"""So many questions are compared. None of the runs that thresholds are fitted to is of one of
them."""

MIDDLE = 0.4
"""The share that is run first, since all of them take hours."""

IN_BOTH_TABLES = {"srm": SRM_ONLY, "lrm": LRM_ONLY, "specreason": SPECREASON}
"""Methods without a fitted threshold are rows of both tables, and are run once."""


async def run(measured: Measured, found: Drawn, ledger: Ledger, say: Callable[[str], None]) -> None:
    """Make every run of the comparison that is missing, share by share."""
    wanted = ((found.data.name, row, question) for row, question in _wanted_runs(ledger, found))
    async with session(measured, ledger, say, at_once=AT_ONCE) as opened:
        await make_all(wanted, opened)


def _wanted_runs(records: Records, found: Drawn) -> Iterator[tuple[Wanted, Question]]:
    rows = list(_fitted(records, found))
    for share in sorted(SHARES, key=lambda share: abs(share - MIDDLE)):
        for question in found.evaluation[:COMPARED]:
            for row in rows:
                if row.wanted in (None, share):
                    yield _wanted(row), question


def compared_rows(records: Records, found: Drawn) -> list[Row]:
    """The rows with runs, each on the questions that all rows of its share have answered.

    Raises:
        ValueError: there are not enough runs to fit to.
    """
    rows = list(_fitted(records, found))
    questions = {each.id: each for each in found.evaluation[:COMPARED]}
    made = [each for each in records.runs(found.data.name) if _is_of(each, questions)]
    settings = records.told(SETTINGS)
    for row in rows:
        label = _wanted(row).label
        own = [each for each in made if each.row == label]
        row.runs = [
            as_run(each, settings, found.data.name, questions[each.question])
            for each in own
            if each.setting == own[-1].setting
        ]
    for share in (None, *SHARES):
        _keep_common([row for row in rows if row.wanted == share])
    return [row for row in rows if row.runs]


def in_words(records: Records, rows: Sequence[Row]) -> Iterator[str]:
    """What the table is of."""
    counts = {f"{row.wanted:.0%}": len(row.runs) for row in rows if row.wanted is not None}
    of_shares = ", ".join(f"{count} at {share}" for share, count in counts.items())
    yield (
        f"The real pair: {COMPARED} questions of {DATA.name}; answered by all methods so far: "
        f"{of_shares or 'none'}. python -m bench.real_pair methods goes on."
    )
    for each in records.told(MACHINES).values():
        yield f"made on {each['machine']}"


def _fitted(records: Records, found: Drawn) -> Iterator[Row]:
    known, own = _known(records, found), Thresholds(n=0)
    return fitted_rows(known, own, fitted_risk(known, own))


def _known(records: Records, found: Drawn) -> list[Run]:
    """The runs to fit to: each model alone, those of the SRM with alternatives."""
    questions = {each.id: each for each in found.evaluation[COMPARED:]}
    settings = records.told(SETTINGS)
    return [
        run
        for each in records.runs(found.data.name)
        if each.row in (SRM_ONLY.label, LRM_ONLY.label) and _is_of(each, questions)
        for run in [as_run(each, settings, found.data.name, questions[each.question])]
        if run.trace.method == "lrm" or any(step.top for step in run.trace.steps)
    ]


def _is_of(record: Record, questions: dict[str, Question]) -> bool:
    question = questions.get(record.question)
    return question is not None and asked(question) == record.asked


def _wanted(row: Row) -> Wanted:
    return IN_BOTH_TABLES.get(row.setting.method) or Wanted(row.name, row.setting)


def _keep_common(rows: Sequence[Row]) -> None:
    """Leave out the questions that a row lacks."""
    common = set.intersection(*({run.sample for run in row.runs} for row in rows)) if rows else ()
    for row in rows:
        row.runs = [run for run in row.runs if run.sample in common]
