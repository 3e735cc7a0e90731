"""The names of triggers and settings in texts for people."""

from __future__ import annotations

from trigreason.reasoning.triggers import Trigger

TRIGGER_NAMES = {
    Trigger.STRATEGIC_PRIMING: "strategic priming",
    Trigger.COGNITIVE_OFFLOAD: "cognitive offload",
    Trigger.INTERVENTION_REQUEST: "intervention request",
    Trigger.JUDGE_REJECTION: "judge's rejection",
    Trigger.LOW_REWARD: "low reward",
    Trigger.REPETITION: "repetition",
    Trigger.METHOD: "the method's own",
}

SYMBOLS = {"tau": "τ", "rho": "ρ", "thinking_tokens": "budget"}
"""Settings that are shown under another name."""
