"""Every answer that was ever asked for, in one file that only grows.

A line of ``runs.jsonl`` is one run: the setting, the question, the epoch, whether it was right,
and the whole trace. What was paid for once is so never asked for twice, and other commands can
read the traces.
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
    """What a run came to.

    ``smt`` is None for a run without any thinking; ``usd`` where prices or token counts are
    unknown. Tokens are those that the LRM generated, used or not.
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
    """A line without its trace, which need not be read to go on."""

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
        ValueError: another process uses the folder, or a line that is whole is no run of this kind.
        OSError: the folder cannot be written.
    """
    with alone_in(folder, "calibration"), (folder / RUNS).open("ab") as writer:
        yield Ledger(folder / RUNS, writer)


class Ledger:
    """The runs in a file, and where more are written; see :func:`opened_ledger`."""

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
        """Keep a run; it is on disk, as far as this process can bring it there, on return.

        ``told`` is whatever else is known of it: ``right``, ``target``, ``group``, ``given``.
        """
        outcome = RunOutcome.of(trace, bool(told["right"]))
        asked, conditions = key.asked
        line = {
            "setting": asked,
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
        """The traces of these runs, read from the file again, in its order."""
        for _, line in self._whole_lines():
            key = msgspec.json.decode(line, type=_Line).key
            if key in keys:
                yield key, load_trace(line.decode())

    def _read(self) -> int:
        """Read what is there; returns where the last whole line ends, in bytes."""
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
        """Lines that were written to their end; a process that was killed leaves half a one."""
        with self.file.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.endswith(b"\n"):
                    yield number, line


def digest(*parts: object) -> str:
    """64 bits of what the parts say, in hexadecimal; they must be of JSON's kinds."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
