"""The long run: what is missing is asked for, one run after the other, question by question."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from bench.real_pair.calibrating import (
    LRM_SHARE,
    Calibrated,
    calibrated,
    direction_of,
    keep,
    kept,
)
from bench.real_pair.packing import packed, unpacked
from bench.real_pair.pair import SAMPLING, Measured, this_machine
from bench.real_pair.questions import Drawn, Part, asked, in_turns
from bench.real_pair.records import MACHINES, SETTINGS, Key, Ledger, Record
from bench.real_pair.rows import LRM_ONLY, SRM_ONLY, Row, rows
from trigreason.configuration import opened_pair
from trigreason.evaluation.grading import Grade, grade
from trigreason.evaluation.questions import Question
from trigreason.evaluation.runs import Run
from trigreason.pairs import Pair
from trigreason.reasoner import completed, reason
from trigreason.reasoning import Message, Thresholds, Trace
from trigreason.studies.calibration.setting import Setting

CALIBRATED = "calibrated.json"

AT_ONCE = 8
"""Runs made at once: llama.cpp writes a token of each in one pass over a model's weights. Which
other runs are in the pass changes the last digits of a token's probability."""


def graded(question: Question, trace: Trace) -> Grade:
    """Whether the text that a user reads gives the wanted answer."""
    return grade(question.kind, trace.reply, question.target, question.letters)


@dataclass(slots=True)
class Session:
    """An open pair and the ledger that its runs go into. ``say`` is told of every run."""

    measured: Measured
    pair: Pair
    ledger: Ledger
    say: Callable[[str], None]
    _machine: str = field(default="", init=False)

    async def answer(self, setting: Setting, question: Question) -> Trace:
        """One run, whether it is there already or not."""
        return await completed(
            reason(
                self.pair,
                (Message("user", question.prompt),),
                setting.method,
                thresholds=setting.thresholds,
                sampling=SAMPLING,
                budget=self.measured.budget,
            )
        )

    def digest(self, setting: Setting) -> str:
        """The setting's name in the ledger, which is told what it stands for."""
        return self.ledger.tell(SETTINGS, self.measured.setting(setting, self.pair))

    async def record(self, data: str, row: Row, question: Question, part: Part) -> Record:
        """The run of a question under a row; made only if it is not there."""
        key = Key(question.id, asked(question), self.digest(row.setting))
        known = self.ledger.get(data, key)
        if known is not None:
            return known
        trace = await self.answer(row.setting, question)
        found = graded(question, trace)
        self._machine = self._machine or self.ledger.tell(MACHINES, this_machine())
        made = Record(
            **key._asdict(),
            part=part,
            row=row.label,
            machine=self._machine,
            right=found.right,
            given=found.given,
            trace=packed(trace),
        )
        self.ledger.add(data, made)
        outcome = "right" if found.right else "wrong"
        self.say(f"{question.id}, {row.label}: {outcome}, {trace.seconds:.0f} s")
        return made

    async def calibrate(self, sets: Sequence[Drawn]) -> dict[str, Thresholds]:
        """The calibrated thresholds of each data set: those found before, or else found now."""
        file = self.ledger.folder / CALIBRATED
        found = kept(file)
        setting = self.digest(SRM_ONLY.setting)
        missing = [each for each in sets if not _is_of(found.get(each.data.name), setting, each)]
        if missing:
            runs = {each.data.name: await self._alone(each) for each in sets}
            before = {name: self._recorded(name, each) for name, each in found.items()}
            direction, told = direction_of(before | runs)
            for each in missing:
                name = each.data.name
                found[name] = calibrated(runs[name], setting, direction, told)
            keep(file, found)
        return {
            each.data.name: Thresholds.from_json(found[each.data.name].thresholds) for each in sets
        }

    async def _alone(self, drawn: Drawn) -> list[Run]:
        """The SRM's own runs on a data set's questions of calibration."""
        name = drawn.data.name
        made = [
            await self.record(name, SRM_ONLY, question, "calibration")
            for question in drawn.calibration
        ]
        return [as_run(each, self.ledger.told(SETTINGS), name) for each in made]

    def _recorded(self, name: str, calibrated: Calibrated) -> list[Run]:
        """The runs that a data set was calibrated on before."""
        return [
            as_run(each, self.ledger.told(SETTINGS), name)
            for each in self.ledger.runs(name)
            if each.setting == calibrated.runs and each.question in calibrated.questions
        ]


def _is_of(found: Calibrated | None, setting: str, drawn: Drawn) -> bool:
    """Whether this was found under the same setting, on the same questions, for the same share."""
    questions = [each.id for each in drawn.calibration]
    return found is not None and (found.runs, found.questions, found.lrm_share["wanted"]) == (
        setting,
        questions,
        LRM_SHARE,
    )


def as_run(
    record: Record,
    settings: Mapping[str, Mapping[str, Any]],
    data: str,
    question: Question | None = None,
) -> Run:
    """A record as the studies read runs; without the ``question`` its id stands for its text."""
    prompt = record.question if question is None else question.prompt
    return Run(
        trace=unpacked(record.trace, settings[record.setting], prompt),
        task=data,
        group=data,
        sample=record.question,
        target=None if question is None else question.target,
        right=record.right,
    )


@asynccontextmanager
async def session(
    measured: Measured, ledger: Ledger, say: Callable[[str], None], *, at_once: int = 1
) -> AsyncIterator[Session]:
    """The pair's models, open; they serve so many runs at once."""
    async with opened_pair(measured.plan, os.environ, slots=at_once) as pair:
        yield Session(measured, pair, ledger, say)


async def run(
    measured: Measured, sets: Sequence[Drawn], ledger: Ledger, say: Callable[[str], None]
) -> None:
    """Make every run that is missing: those of calibration first, then rows by question."""
    async with session(measured, ledger, say, at_once=AT_ONCE) as opened:
        thresholds = await opened.calibrate(sets)
        jobs = (
            (drawn.data.name, row, question)
            for drawn, question in in_turns(sets)
            for row in rows(thresholds[drawn.data.name])
        )
        await make_all(jobs, opened)


async def make_all(jobs: Iterator[tuple[str, Row, Question]], opened: Session) -> None:
    """Make the runs, ``AT_ONCE`` at a time."""

    async def work() -> None:
        for name, row, question in jobs:
            await opened.record(name, row, question, "evaluation")

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(work())


async def pilot(
    measured: Measured, sets: Sequence[Drawn], ledger: Ledger, say: Callable[[str], None]
) -> None:
    """Each model alone on the questions of calibration, to choose families of questions by.

    Ends with how many each had right.
    """
    async with session(measured, ledger, say) as now:
        for questions in zip(*(each.calibration for each in sets), strict=True):
            for drawn, question in zip(sets, questions, strict=True):
                for row in (SRM_ONLY, LRM_ONLY):
                    await now.record(drawn.data.name, row, question, "calibration")
        for drawn in sets:
            made = ledger.runs(drawn.data.name)
            rights = (
                f"{row.label} {sum(each.right for each in made if each.row == row.label)}"
                for row in (SRM_ONLY, LRM_ONLY)
            )
            say(
                f"{drawn.data.name}, {len(drawn.calibration)} questions, right: {', '.join(rights)}"
            )
