"""A calibration in JSON."""

from __future__ import annotations

from typing import Any

from trigreason.studies.calibration.direction import supported
from trigreason.studies.calibration.label_free import Budgeted
from trigreason.studies.calibration.labelled import Calibration, SettingRow
from trigreason.studies.calibration.setting import Setting


def front_as_json(found: Calibration) -> dict[str, Any]:
    """Everything that was found; shares of 1, USD per run."""
    return {
        "against": found.thrift_name,
        "thresholds": found.recommended.thresholds.to_json(),
        "questions": {"search": found.questions[0], "held_out": found.questions[1]},
        "accuracy_gain": found.accuracy._asdict(),
        f"{found.thrift_name}_gain": found.thrift._asdict(),
        "coin": None
        if found.coin is None
        else {
            "one": _setting_as_json(found.coin.one),
            "other": _setting_as_json(found.coin.other),
            "other_weight": found.coin.weight,
            "accuracy_gain": found.coin.gain._asdict(),
        },
        "settings": [_row_as_json(found, row) for row in found.rows],
    }


def _row_as_json(found: Calibration, row: SettingRow) -> dict[str, Any]:
    search = None
    if row.search is not None:
        accuracy, thrift = row.search.point(found.thrift_name)
        search = {"accuracy": accuracy, found.thrift_name: _as_cost(found, thrift)}
    return {
        **_setting_as_json(row.setting),
        "is_recommended": row.setting == found.recommended,
        "is_default": row.setting == found.default,
        "is_on_front": row.setting in found.on_front,
        "is_no_worse_than_default": found.is_no_worse(row.setting),
        "search": search,
        "held_out": {
            "accuracy": row.accuracy._asdict(),
            "smt": row.smt._asdict() if row.smt else None,
            "usd": row.usd._asdict() if row.usd else None,
            "lrm_tokens": row.held_out.per_run(lambda each: each.lrm_tokens),
            "lrm_requests": row.held_out.per_run(lambda each: each.lrm_requests),
            "drafts": row.held_out.per_run(lambda each: each.drafts),
            "truncated": row.held_out.per_run(lambda each: each.truncated),
        },
    }


def _as_cost(found: Calibration, thrift: float) -> float:
    return thrift if found.thrift_name == "smt" else -thrift


def _setting_as_json(setting: Setting) -> dict[str, Any]:
    return {"method": setting.method, "thresholds": setting.thresholds.to_json()}


def share_as_json(found: Budgeted) -> dict[str, Any]:
    evidence = found.direction
    return {
        "thresholds": found.thresholds.to_json(),
        "wanted_lrm_share": found.wanted,
        "lrm_share": {"value": found.share, "low": found.low, "high": found.high},
        "steps": {str(trigger): part for trigger, part in found.steps.items()},
        "runs": found.runs,
        "left_out": found.left_out,
        "questions": found.questions,
        "token_ratio": found.token_ratio,
        "direction": None
        if evidence is None
        else {
            "auc": evidence.value,
            "low": evidence.low,
            "high": evidence.high,
            "wrong": evidence.wrong,
            "right": evidence.right,
            "supports": supported(evidence),
        },
    }
