"""Tests with a few requests what an endpoint can really do.

``Examination`` sends the requests, ``Report`` holds the findings, ``verdict`` says which model of
a pair the endpoint can be, and ``measured_capabilities`` turns a report into Capabilities.
"""

from trigreason.engines.probing.examination import SILENCE_SECONDS, Examination, unopened
from trigreason.engines.probing.facts import ServerKind, ServerPages
from trigreason.engines.probing.report import (
    Cost,
    Finding,
    Measurements,
    Report,
    State,
    Topic,
    measured_capabilities,
)
from trigreason.engines.probing.roles import NEEDS, SUFFERS_FROM, Verdict, verdict

__all__ = [
    "NEEDS",
    "SILENCE_SECONDS",
    "SUFFERS_FROM",
    "Cost",
    "Examination",
    "Finding",
    "Measurements",
    "Report",
    "ServerKind",
    "ServerPages",
    "State",
    "Topic",
    "Verdict",
    "measured_capabilities",
    "unopened",
    "verdict",
]
