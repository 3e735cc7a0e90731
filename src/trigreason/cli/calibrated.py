"""What a calibration found: tables, words, JSON, and the files it is written to."""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.text import Text

from trigreason import __version__
from trigreason.cli.calibrating import Calibrating
from trigreason.cli.calibration_json import front_as_json, share_as_json
from trigreason.cli.calibration_words import (
    as_flags,
    front_table,
    share_in_words,
    verdict,
)
from trigreason.cli.console import print_json, screen
from trigreason.cli.words import counted
from trigreason.configuration import BUNDLED
from trigreason.evaluation.recorded import read_runs
from trigreason.reasoning import Thresholds
from trigreason.studies.calibration.evidence import Source, of_search, of_share
from trigreason.studies.calibration.job import Job, carry_out
from trigreason.studies.calibration.label_free import fit_share
from trigreason.studies.calibration.picture import draw_front
from trigreason.studies.calibration.profile import profile_toml
from trigreason.studies.calibration.search import expected_runs
from trigreason.studies.calibration.writing import write_profile
from trigreason.studies.replaying import recorded_token_ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where a calibration's outcome goes, besides standard output.

    ``configuration`` and ``profile`` are the files that thresholds are written into, if any, and
    ``figures`` the folder of pictures.
    """

    pair: str
    configuration: Path | None
    profile: Path | None
    figures: Path | None
    as_json: bool

    def write(self, thresholds: Thresholds, evidence: Sequence[str]) -> dict[str, str]:
        """Write what is to be written; returns what was done, by the file's name."""
        done: dict[str, str] = {}
        if self.profile is not None:
            self.profile.write_text(profile_toml(thresholds, evidence), encoding="utf-8")
            done[str(self.profile)] = "written"
        if self.configuration is not None:
            diff = write_profile(self.configuration, self.pair, thresholds, evidence)
            done[str(self.configuration)] = diff
        return done

    def tell(self, method: str, thresholds: Thresholds, done: dict[str, str]) -> None:
        """Say what was written, or how the thresholds can be used."""
        out = screen()
        for file, what in done.items():
            out.print()
            out.print(Text(what if "\n" in what else f"{file} is written.", "dim"))
        if not done:
            use = f"trigreason solve --pair {self.pair} {as_flags(method, thresholds)}"
            more = "--profile-out FILE" if self.pair == BUNDLED else "--write"
            out.print(Text(f"To use it: {use}"))
            out.print(Text(f"To keep it, with its evidence: add {more}.", "dim"))


def without_labels(
    logs: Sequence[Path],
    method: str,
    wanted: float,
    base: Thresholds,
    direction: str,
    seed: int,
    destination: Destination,
) -> None:
    """Choose the method's thresholds from recorded runs, and say what will follow."""
    runs = list(read_runs(logs))
    ratio = recorded_token_ratio(runs) or 1.0
    found = fit_share(runs, wanted, base, method=method, token_ratio=ratio, seed=seed)
    evidence = of_share(found, _source(counted(len(runs), "run")), direction)
    done = destination.write(found.thresholds, evidence)
    if destination.as_json:
        print_json(share_as_json(found) | {"written": done})
        return
    out = screen()
    for line in share_in_words(found, direction):
        out.print(line)
    destination.tell(method, found.thresholds, done)


def with_labels(job: Job, data: str, destination: Destination) -> None:
    """Search, measure on held-out questions, and show the front."""
    parts = job.parts()
    expected = expected_runs(job.trials, len(parts.search), len(parts.held_out)) * job.epochs
    progress = Calibrating(expected, job.epochs)
    try:
        with progress.shown():
            found, conditions = asyncio.run(carry_out(job, progress.enter, progress.watch))
    except KeyboardInterrupt as interruption:
        kept = f"{job.folder} keeps {counted(progress.done, 'run')}"
        raise KeyboardInterrupt(f"{kept}; the same command goes on from there") from interruption
    evidence = of_search(found, _source(data), conditions)
    thresholds = found.recommended.thresholds
    done = destination.write(thresholds, evidence)
    pictures = draw_front(found, destination.figures) if destination.figures else []
    runs = {"asked": progress.asked, "folder": str(job.folder)}
    if destination.as_json:
        files = {"written": done, "figures": list(map(str, pictures))}
        print_json(front_as_json(found) | {"evidence": evidence, "runs": runs} | files)
        return
    out = screen()
    out.print(front_table(found))
    out.print()
    for line in verdict(found):
        out.print(line)
    made = f"{counted(progress.asked, 'run')} made now; all that there are stay in {job.folder}."
    out.print(Text(made, "dim"))
    for picture in pictures:
        out.print(Text(f"{picture} is drawn.", "dim"))
    destination.tell(job.method, thresholds, done)


def _source(data: str) -> Source:
    command = shlex.join(["trigreason", *sys.argv[1:]])
    return Source(command=command, date=date.today().isoformat(), version=__version__, data=data)
