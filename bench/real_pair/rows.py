"""The rows of the table: methods under their thresholds."""

from __future__ import annotations

from dataclasses import dataclass

from trigreason.reasoning import Thresholds
from trigreason.studies.calibration.setting import Setting

SHORT = 1
"""n for chains of about six steps. The paper's n = 20 is for chains of a hundred steps and more; at
the same share of a chain, n here is one step."""


@dataclass(frozen=True, slots=True)
class Row:
    label: str
    setting: Setting


SRM_ONLY = Row("SRM only", Setting("srm"))
LRM_ONLY = Row("LRM only", Setting("lrm"))
SPECREASON = Row("SpecReason", Setting("specreason"))
PAPER = Row(f"TrigReason, the paper's (n = {SHORT})", Setting(thresholds=Thresholds(n=SHORT)))
CALIBRATED = "TrigReason, calibrated"

LABELS = (SRM_ONLY.label, LRM_ONLY.label, SPECREASON.label, PAPER.label, CALIBRATED)


def rows(calibrated: Thresholds) -> list[Row]:
    """All rows of a data set, for which calibration found these thresholds."""
    found = Row(CALIBRATED, Setting(thresholds=calibrated))
    return [SRM_ONLY, LRM_ONLY, SPECREASON, PAPER, found]
