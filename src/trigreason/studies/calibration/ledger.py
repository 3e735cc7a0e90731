"""Every finished run, in one file that only grows.

A line of ``runs.jsonl`` is one run: the setting, the question, the epoch, whether it was right,
and the whole trace. So no run is ever paid for twice, and other commands can read the traces.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from trigreason.evaluation.recorded import RunKey, alone_in
from trigreason.reasoning import Author, StopReason, Trace, load_trace, trace_to_json
from trigreason.studies.calibration.setting import Setting

RUNS = "runs.jsonl"


class RunOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of a run.

    ``smt`` is None for a run without any thinking; ``usd`` where prices or token counts are
    unknown. ``lrm_tokens`` counts what the LRM generated, used or not.
    """

    right: bool
    smt: float | None
    usd: float | None
    lrm_tokens: int
    lrm_requests: int
    drafts: int
    seconds: float
    truncated: bool

    @classmethod
    def of(cls, trace: Trace, right: bool) -> RunOutcome:
        lrm = trace.use(Author.LRM)
        return cls(
            right=right,
            smt=trace.smt,
            usd=trace.usd,
            lrm_tokens=lrm.completion_tokens,
            lrm_requests=lrm.requests,
            drafts=len(trace.drafts),
            seconds=trace.seconds,
            truncated=trace.stop is StopReason.TRUNCATED,
        )


class _Line(msgspec.Struct):
    """A line without its trace, which is not needed to resume."""

    setting: str
    conditions: str
    question: str
    epoch: int
    outcome: RunOutcome

    @property
    def key(self) -> RunKey:
        return RunKey((self.setting, self.conditions), self.question, self.epoch)


@contextmanager
def opened_ledger(folder: Path) -> Iterator[Ledger]:
    """The runs in a folder, for this process alone.

    Raises:
        ValueError: another process uses the folder, or a whole line is no run of a calibration.
        OSError: the folder cannot be written.
    """
    with alone_in(folder), (folder / RUNS).open("ab") as writer:
        yield Ledger(folder / RUNS, writer)


class Ledger:
    """The runs in a file, to which more are appended; see :func:`opened_ledger`."""

    def __init__(self, file: Path, writer: IO[bytes]) -> None:
        self.file = file
        self._writer = writer
        self._outcomes: dict[RunKey, RunOutcome] = {}
        writer.truncate(self._read())

    def __len__(self) -> int:
        return len(self._outcomes)

    def get(self, key: RunKey) -> RunOutcome | None:
        return self._outcomes.get(key)

    def add(
        self, key: RunKey, setting: Setting, trace: Trace, told: Mapping[str, object]
    ) -> RunOutcome:
        """Append a run to the file, and flush it to the operating system.

        ``told`` has the line's other fields: ``right``, ``target``, ``group``, ``given``.
        """
        outcome = RunOutcome.of(trace, bool(told["right"]))
        setting_key, conditions = key.asked
        line = {
            "setting": setting_key,
            "conditions": conditions,
            "question": key.sample,
            "epoch": key.epoch,
            "outcome": msgspec.to_builtins(outcome),
            "method": setting.method,
            "thresholds": setting.thresholds.to_json(),
            **told,
            "trace": trace_to_json(trace),
        }
        self._writer.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        self._writer.flush()
        self._outcomes[key] = outcome
        return outcome

    def traces(self, keys: Collection[RunKey]) -> Iterator[tuple[RunKey, Trace]]:
        """The traces of these runs, read again from the file, in its order."""
        for _, line in self._whole_lines():
            key = msgspec.json.decode(line, type=_Line).key
            if key in keys:
                yield key, load_trace(line.decode())

    def _read(self) -> int:
        """Read the file; returns where its last whole line ends, in bytes."""
        end = 0
        for number, line in self._whole_lines():
            try:
                read = msgspec.json.decode(line, type=_Line)
            except msgspec.DecodeError as error:
                raise ValueError(
                    f"{self.file}, line {number}: is no run of a calibration ({error}); "
                    "choose another --out"
                ) from error
            self._outcomes[read.key] = read.outcome
            end += len(line)
        return end

    def _whole_lines(self) -> Iterator[tuple[int, bytes]]:
        """The complete lines with their numbers; a killed process may leave half a line."""
        with self.file.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.endswith(b"\n"):
                    yield number, line


def digest(*parts: object) -> str:
    """A hash of the parts, which must be JSON values: 64 bits in hexadecimal."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
