"""Which of the two models an endpoint can be, and why."""

from __future__ import annotations

from dataclasses import dataclass

from trigreason.engines.probing.report import Finding, Report, State, Topic
from trigreason.reasoning import Author

NEEDS = {
    Author.SRM: (Topic.REACHABLE, Topic.MODEL, Topic.PREFIX, Topic.QUESTION, Topic.LOGPROBS),
    Author.LRM: (Topic.REACHABLE, Topic.MODEL, Topic.PREFIX, Topic.QUESTION),
}
SUFFERS_FROM = {
    Author.SRM: (
        *(Topic.TEMPLATE, Topic.THINKING, Topic.STEPS, Topic.STREAMS, Topic.COMPLETE),
        *(Topic.RAW, Topic.CLOSING, Topic.CONTEXT),
    ),
    Author.LRM: (
        *(Topic.TEMPLATE, Topic.THINKING, Topic.STREAMS, Topic.STOP),
        *(Topic.CLOSING, Topic.CACHE, Topic.CONTEXT),
    ),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """``missing`` are the needs that are not met, ``weak`` the topics that make a run worse."""

    role: Author
    state: State
    missing: tuple[Topic, ...]
    weak: tuple[Topic, ...]


def verdict(report: Report, role: Author) -> Verdict:
    """Whether the endpoint can be the SRM or the LRM."""
    states = {topic: report.state(topic) for topic in NEEDS[role]}
    missing = tuple(topic for topic, state in states.items() if state is not State.YES)
    weak = tuple(topic for topic in SUFFERS_FROM[role] if _suffers(report.finding(topic)))
    if State.NO in states.values():
        state = State.NO
        missing = tuple(topic for topic in missing if states[topic] is State.NO)
    else:
        state = State.UNKNOWN if missing else State.YES
    return Verdict(role, state, missing, weak)


def _suffers(finding: Finding | None) -> bool:
    """NO counts; UNKNOWN only for template and thinking, since wrong guesses stay unnoticed."""
    if finding is None:
        return False
    unsure = finding.topic in (Topic.TEMPLATE, Topic.THINKING) and finding.state is State.UNKNOWN
    return unsure or finding.state is State.NO
