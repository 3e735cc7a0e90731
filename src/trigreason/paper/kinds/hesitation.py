"""Appendix E: candidates for the list of hesitation expressions.

n-grams that hesitating steps hold more often than other steps do, ranked by the likelihood ratio
of their counts (Dunning 1993, "Accurate Methods for the Statistics of Surprise and Coincidence"):
frequent in both is no sign, and rare in both is no evidence. What comes out is a list of candidates
for a person to read, as in the paper; nothing is put into force.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise

from trigreason.paper.result import ShownTable
from trigreason.paper.work import Numbers, Work
from trigreason.reasoning import find_hesitations

SHOWN = 40


def candidates(work: Work) -> Numbers:
    """The strongest n-grams of hesitating SRM steps, new ones and those already in the list."""
    detail: dict[str, object] = {}
    notes: list[str] = []
    tables: list[ShownTable] = []
    for (pair, task), arms in work.grouped().items():
        [srm] = arms.values()
        expressions = srm.arm.thresholds.expressions
        steps = [step.text for run in srm.runs for step in run.trace.standing if step.text.strip()]
        labels = [bool(find_hesitations(text, expressions)) for text in steps]
        counts = f"{pair}, {task}: {sum(labels)} of {len(steps)} steps hesitate"
        if not any(labels) or all(labels):
            notes.append(f"{counts}, so there is nothing to compare.")
            continue
        ngrams = mine(steps, labels, expressions)
        fresh = [ngram for ngram in ngrams if not ngram.known][:SHOWN]
        listed = [ngram for ngram in ngrams if ngram.known][:SHOWN]
        detail[f"{pair} · {task}"] = {
            "steps": len(steps),
            "hesitating": sum(labels),
            "candidates": [asdict(ngram) for ngram in fresh],
            "in force": [asdict(ngram) for ngram in listed],
        }
        tables.append(_table(f"{pair}, {task}: candidates that no current expression finds", fresh))
        notes.append(f"{counts}; {len(fresh)} candidates are not in the list yet.")
    return Numbers(rows=[], notes=notes, tables=tables, detail=detail)


def _table(title: str, ngrams: Sequence[NGram]) -> ShownTable:
    rows = [
        (each.words, str(each.hesitating), str(each.other), f"{each.strength:.1f}")
        for each in ngrams
    ]
    return ShownTable(title, ("words", "hesitating steps", "other steps", "strength"), rows)


LONGEST = 4
"""Words in an n-gram, at most."""

_UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")
"""A character of a script that does not part words by spaces."""

_WORD = re.compile(rf"{_UNSPACED.pattern}|[^\W\d_]+(?:['\u2018\u2019\u02bc][^\W\d_]+)*")
"""A word; in scripts that do not part words by spaces, one character."""

_LABEL = re.compile("[B-HJ-Z]")
"""A capital letter alone that is no word of English: an option, or a variable."""


@dataclass(frozen=True, slots=True)
class NGram:
    """An n-gram: in how many hesitating and in how many other steps it occurs.

    ``strength`` is the signed root of the likelihood ratio statistic G², above 0 for what is more
    frequent in hesitating steps and about as large as a z score; ``known`` says that the
    expressions in force already find it.
    """

    words: str
    hesitating: int
    other: int
    strength: float
    known: bool


def words_of(text: str) -> list[str]:
    """The words of a text, lower-cased, in order; without numbers, formulas and labels as B."""
    found = (match[0] for match in _WORD.finditer(text))
    return [word.lower().replace("\u2019", "'") for word in found if not _LABEL.fullmatch(word)]


def n_grams(text: str, longest: int = LONGEST) -> list[str]:
    """Every n-gram of a text of up to ``longest`` words, each once, in alphabetical order."""
    words = words_of(text)
    seen = {
        _joined(words[at : at + length])
        for length in range(1, longest + 1)
        for at in range(len(words) - length + 1)
    }
    return sorted(seen)


def mine(
    steps: Sequence[str],
    hesitating: Sequence[bool],
    expressions: Sequence[str],
    *,
    at_least: int = 3,
    longest: int = LONGEST,
) -> list[NGram]:
    """Candidates that occur in ``at_least`` hesitating steps, the strongest first.

    ``hesitating`` says for each step whether it hesitates: by the expressions in force, or by the
    label that a person or a model gave it. A longer n-gram that occurs in exactly the steps of a
    shorter one within it is left out.

    Raises:
        ValueError: the two lengths differ, or there is no step of one of the kinds.
    """
    if len(steps) != len(hesitating):
        raise ValueError(f"{len(steps)} steps have {len(hesitating)} labels")
    marked: Counter[str] = Counter()
    plain: Counter[str] = Counter()
    for text, hesitates in zip(steps, hesitating, strict=True):
        (marked if hesitates else plain).update(n_grams(text, longest))
    of_marked = sum(hesitating)
    of_plain = len(steps) - of_marked
    if not of_marked or not of_plain:
        kind = "hesitates" if not of_marked else "is without hesitation"
        raise ValueError(f"none of {len(steps)} steps {kind}, so there is nothing to compare")
    found = [
        NGram(
            gram,
            count,
            plain[gram],
            _strength(count, of_marked, plain[gram], of_plain),
            bool(find_hesitations(gram, expressions)),
        )
        for gram, count in marked.items()
        if count >= at_least
    ]
    strongest = sorted(found, key=lambda each: (-each.strength, len(each.words), each.words))
    return _without_echoes(strongest)


def _strength(marked: int, of_marked: int, plain: int, of_plain: int) -> float:
    """Signed root of G² of the two by two table: kind of step against whether it has the n-gram."""
    total = of_marked + of_plain
    holding = marked + plain
    cells = (
        (marked, of_marked * holding),
        (of_marked - marked, of_marked * (total - holding)),
        (plain, of_plain * holding),
        (of_plain - plain, of_plain * (total - holding)),
    )
    statistic = 2 * math.fsum(
        count * math.log(count * total / expected) for count, expected in cells if count
    )
    return math.copysign(math.sqrt(max(statistic, 0.0)), marked * of_plain - plain * of_marked)


def _without_echoes(candidates: Sequence[NGram]) -> list[NGram]:
    """Leave out what occurs in just as many steps as a shorter n-gram within it."""
    counts: dict[tuple[int, int], list[str]] = {}
    for each in candidates:
        counts.setdefault((each.hesitating, each.other), []).append(each.words)
    return [
        each
        for each in candidates
        if not any(
            other != each.words and _contains(each.words, other)
            for other in counts[each.hesitating, each.other]
        )
    ]


def _contains(longer: str, shorter: str) -> bool:
    return f" {shorter} " in f" {longer} " or (_is_unspaced(shorter) and shorter in longer)


def _is_unspaced(text: str) -> bool:
    return " " not in text and not text.isascii()


def _joined(words: Sequence[str]) -> str:
    """Words with the spaces that their script puts between them."""
    text = words[0]
    for before, word in pairwise(words):
        closed_up = all(_UNSPACED.fullmatch(each) for each in (before, word))
        text += word if closed_up else f" {word}"
    return text
