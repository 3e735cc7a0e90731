"""Appendix E: candidates for the list of hesitation expressions."""

from __future__ import annotations

from dataclasses import asdict

from trigreason.paper.work import Made, Work
from trigreason.reasoning import find_hesitations
from trigreason.studies.hesitation import mine

SHOWN = 40


def candidates(work: Work) -> Made:
    """The strongest n-grams of hesitating SRM steps that the expressions in force do not find,
    and how strong those are that they do.
    """
    detail: dict[str, object] = {}
    notes: list[str] = []
    for (pair, task), arms in work.grouped().items():
        [srm] = arms.values()
        expressions = srm.arm.thresholds.expressions
        steps = [step.text for run in srm.runs for step in run.trace.standing if step.text.strip()]
        labels = [bool(find_hesitations(text, expressions)) for text in steps]
        told = f"{pair}, {task}: {sum(labels)} of {len(steps)} steps hesitate"
        if not any(labels) or all(labels):
            notes.append(f"{told}, so there is nothing to compare.")
            continue
        found = mine(steps, labels, expressions)
        fresh = [each for each in found if not each.known][:SHOWN]
        known = [each for each in found if each.known][:SHOWN]
        detail[f"{pair} · {task}"] = {
            "steps": len(steps),
            "hesitating": sum(labels),
            "candidates": [asdict(each) for each in fresh],
            "in force": [asdict(each) for each in known],
        }
        notes.append(f"{told}; {len(fresh)} candidates are not in the list yet.")
    return Made(rows=[], notes=notes, detail=detail)
