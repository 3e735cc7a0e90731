"""RelayGen's switch cues from recorded runs without labels: the words behind which steps are easy.

A step is easy where the SRM's margin is large: the likeliest token is far ahead of the second. The
candidates are the first words of the recorded SRM steps; the margin of a cue is the mean over the
tokens of all steps that begin with it.

The authors have a list of candidates, and take the SRM's margins on a text of the LRM, from the cue
to the end of its sentence. A trace has the SRM's margins on its own steps alone, and no texts of
single tokens: so here the margins are those of the whole step but its first token, which is the cue
or its beginning.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from trigreason.evaluation.runs import Run
from trigreason.reasoning import Author, StepRecord
from trigreason.reasoning.switch_cues import first_word
from trigreason.reasoning.top_logprobs import margin
from trigreason.studies.signals import srm_runs

FEWEST = 5
"""A word that begins fewer steps is no candidate."""


@dataclass(frozen=True, slots=True)
class SwitchCue:
    """A word, how many steps begin with it, and the mean margin (0 to 1) of their tokens."""

    word: str
    steps: int
    margin: float


@dataclass(frozen=True, slots=True)
class SwitchCues:
    """The candidates, the largest margin first, and the mean margin of all tokens."""

    candidates: tuple[SwitchCue, ...]
    margin: float
    steps: int

    def easy(self) -> tuple[str, ...]:
        """The cues: the words with a margin above that of all tokens.

        Raises:
            ValueError: there is none.
        """
        words = tuple(each.word for each in self.candidates if each.margin > self.margin)
        if not words:
            raise ValueError(
                "steps with a common first word have no larger margins than the others; give "
                "--lrm-share"
            )
        return words

    def best(self, count: int) -> tuple[str, ...]:
        """The ``count`` words with the largest margins."""
        return tuple(each.word for each in self.candidates[:count])


def fit_cues(runs: Sequence[Run]) -> SwitchCues:
    """The candidates among the first words of the SRM's steps, drafts included.

    Raises:
        ValueError: the steps have no margins, or no word begins enough of them.
    """
    every: list[float] = []
    by_word: defaultdict[str, list[list[float]]] = defaultdict(list)
    steps = [step for run in srm_runs(runs) for step in run.trace.steps]
    for step in steps:
        if step.author is Author.SRM and (margins := _margins(step)):
            every += margins
            by_word[first_word(step.text)].append(margins)
    if not every:
        raise ValueError(
            "no step of the SRM has the logprobs of its likeliest tokens; record runs of a pair "
            "whose alternatives are above 0"
        )
    candidates = [
        SwitchCue(word, len(each), fmean(lead for margins in each for lead in margins))
        for word, each in by_word.items()
        if word and len(each) >= FEWEST
    ]
    if not candidates:
        raise ValueError(f"no word begins {FEWEST} steps of the SRM; record more runs")
    candidates.sort(key=lambda each: (-each.margin, each.word))
    return SwitchCues(tuple(candidates), fmean(every), sum(map(len, by_word.values())))


def _margins(step: StepRecord) -> list[float]:
    """The margins of a step's tokens behind its first."""
    leads = [margin(top) for top in step.top]
    return [lead for lead in leads[1:] if lead is not None]
