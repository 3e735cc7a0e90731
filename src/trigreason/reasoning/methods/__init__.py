"""Every method, one file each, and the registry that knows them by name."""

from trigreason.reasoning.methods.base import Decision, Judge, Method, Reward, Rewrite, Write
from trigreason.reasoning.methods.registry import (
    ENTRY_POINTS,
    MethodEntry,
    make_method,
    method_entry,
    method_title,
    methods,
    used_thresholds,
)
from trigreason.reasoning.methods.solo import Solo
from trigreason.reasoning.methods.specreason import SpecReason
from trigreason.reasoning.methods.trigreason import TrigReason

__all__ = [
    "ENTRY_POINTS",
    "Decision",
    "Judge",
    "Method",
    "MethodEntry",
    "Reward",
    "Rewrite",
    "Solo",
    "SpecReason",
    "TrigReason",
    "Write",
    "make_method",
    "method_entry",
    "method_title",
    "methods",
    "used_thresholds",
]
