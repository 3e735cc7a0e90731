"""Appendix E: candidates for the list of hesitation expressions."""

from __future__ import annotations

from dataclasses import asdict

from trigreason.paper.work import Numbers, Work
from trigreason.reasoning import find_hesitations
from trigreason.studies.hesitation import mine

SHOWN = 40


def candidates(work: Work) -> Numbers:
    """The strongest n-grams of hesitating SRM steps, new ones and those already in the list."""
    detail: dict[str, object] = {}
    notes: list[str] = []
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
        notes.append(f"{counts}; {len(fresh)} candidates are not in the list yet.")
    return Numbers(rows=[], notes=notes, detail=detail)
