"""Every threshold of every method in one flat, immutable set, under the paper's symbols.

This is the form in which thresholds are written down: in a pair's profile, on the command line,
in a trace. ``methods.make_method`` turns it into the method that runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Annotated, Any

from trigreason.reasoning.field_docs import FieldDoc
from trigreason.reasoning.hesitation import HESITATION_EXPRESSIONS
from trigreason.reasoning.repetition import RepetitionGuard
from trigreason.reasoning.risk import RiskModel
from trigreason.reasoning.switch_cues import SWITCH_CUES, first_word
from trigreason.reasoning.triggers import (
    NATS,
    PERPLEXITY,
    SCORE,
    SHARE,
    STEPS,
    STREAK,
    CognitiveOffload,
    Direction,
    InterventionRequest,
    JudgeRejection,
    RewardRejection,
    StrategicPriming,
)

PAPER = "Paper: {}."

_WORDS: Mapping[str, tuple[str, ...]] = {
    "expressions": HESITATION_EXPRESSIONS,
    "cues": SWITCH_CUES,
}
"""The thresholds that are lists of words, and their defaults."""

UNWRITTEN: Mapping[str, float] = {"delta": RewardRejection().delta}
"""The thresholds that are not written down at their defaults, so that older records compare."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """The defaults are the paper's, except k, which it does not give, repeats and script_stop.

    ``judge_first`` is an option of SpecReason's script, which has it off. :data:`AS_IN_THE_PAPER`
    has nothing that the paper lacks.
    """

    n: Annotated[
        int,
        FieldDoc(
            "n, priming: the LRM writes the first n steps; 0 for none.", PAPER, "STEPS", STEPS
        ),
    ] = 20
    tau: Annotated[
        float,
        FieldDoc("τ: a token is certain when its perplexity is below τ.", PAPER, "PPL", PERPLEXITY),
    ] = 1.05
    rho: Annotated[
        float,
        FieldDoc(
            "ρ, offload: the LRM rewrites an SRM step whose share of certain tokens is beyond ρ; "
            "1 for never.",
            PAPER,
            "SHARE",
            SHARE,
        ),
    ] = 0.85
    direction: Annotated[
        Direction,
        FieldDoc("The side of ρ that fires: over (overconfident) or under (unsure).", PAPER),
    ] = Direction.OVER
    k: Annotated[
        int,
        FieldDoc(
            "k, request: so many hesitating SRM steps in a row ask for the LRM.",
            "The paper does not say; here {}.",
            "STEPS",
            STREAK,
        ),
    ] = 2
    m: Annotated[
        int,
        FieldDoc("m, request: the LRM then writes m steps; 0 for never.", PAPER, "STEPS", STEPS),
    ] = 1
    accept: Annotated[
        float,
        FieldDoc(
            "SpecReason: the judge's lowest score that keeps a step, 0 to 9; {}.",
            "",
            "SCORE",
            SCORE,
        ),
    ] = 7
    judge_first: Annotated[
        int, FieldDoc("SpecReason: the LRM writes so many steps first; {}.", "", "STEPS", STEPS)
    ] = 0
    script_stop: Annotated[
        bool,
        FieldDoc(
            "SpecReason: the thinking ends where its script ends it, with a step that states an "
            "answer or is the same as the step before it.",
            "Default: off.",
        ),
    ] = False
    delta: Annotated[
        float,
        FieldDoc(
            "RSD: the scorer's lowest reward that keeps a step, 0 to 1; {}.", "", "REWARD", SHARE
        ),
    ] = 0.7
    share: Annotated[
        float,
        FieldDoc("Random: the LRM writes each step with this probability; {}.", "", "SHARE", SHARE),
    ] = 0.3
    every: Annotated[
        int,
        FieldDoc("Periodic: the LRM writes one step of so many; {}.", "", "STEPS", STREAK),
    ] = 3
    entropy: Annotated[
        float,
        FieldDoc(
            "GlimpRouter: the LRM writes a step whose first token has more entropy; {}.",
            "",
            "NATS",
            NATS,
        ),
    ] = 1.0
    confidence: Annotated[
        float,
        FieldDoc(
            "STEER: the LRM rewrites an SRM step whose tokens have a lower mean probability; {}.",
            "",
            "PROBABILITY",
            SHARE,
        ),
    ] = 0.9
    cues: Annotated[
        tuple[str, ...],
        FieldDoc(
            "RelayGen: words at the beginning of a step that the SRM may write; may be given "
            "several times.",
            "Default: what its authors found for both of their pairs.",
            "WORDS",
        ),
    ] = SWITCH_CUES
    tag: Annotated[
        str,
        FieldDoc("SplitReason: the text with which the SRM asks for the LRM; {}.", "", "TEXT"),
    ] = "<bigmodel>"
    risk: Annotated[
        float,
        FieldDoc(
            "Learned: the LRM rewrites an SRM step with a higher risk of being wrong; {}.",
            "",
            "PROBABILITY",
            SHARE,
        ),
    ] = 0.5
    risk_model: Annotated[
        RiskModel | None,
        FieldDoc("Learned: the model of that risk, fitted by calibrate."),
    ] = None
    expressions: Annotated[
        tuple[str, ...],
        FieldDoc(
            "H, request: words that count as hesitation; may be given several times.",
            "Paper: its table 3.",
            "WORDS",
        ),
    ] = HESITATION_EXPRESSIONS
    repeats: Annotated[
        int,
        FieldDoc(
            "The LRM follows a step that repeats itself, and so many of them in a row close the "
            "thinking; 0 for never.",
            "Not in the paper; {}.",
            "STEPS",
            STEPS,
        ),
    ] = 3

    def to_json(self) -> dict[str, Any]:
        """Plain values; lists of words only if they differ from the default, a model if any.

        ``script_stop`` only if it is on, ``delta`` only if it differs from its default.
        """
        values = asdict(self)
        for name, default in _WORDS.items():
            words = values.pop(name)
            if words != default:
                values[name] = list(words)
        if not self.script_stop:
            del values["script_stop"]
        for name, usual in UNWRITTEN.items():
            if values[name] == usual:
                del values[name]
        del values["risk_model"]
        if self.risk_model is not None:
            values["risk_model"] = self.risk_model.to_json()
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Thresholds:
        """Raises ValueError for an unknown key or a value out of range."""
        known = [field.name for field in fields(cls)]
        if unknown := sorted(set(values) - set(known)):
            raise ValueError(f"unknown threshold {unknown[0]!r}; there are {', '.join(known)}")
        converted = dict(values)
        if "direction" in converted:
            converted["direction"] = Direction(converted["direction"])
        for name in _WORDS.keys() & converted.keys():
            converted[name] = tuple(converted[name])
        model = converted.get("risk_model")
        if not isinstance(model, RiskModel | None):
            converted["risk_model"] = RiskModel.from_json(model)
        thresholds = cls(**converted)
        thresholds.check()
        return thresholds

    def check(self) -> None:
        """Raises ValueError for a value out of range, whichever method it belongs to."""
        StrategicPriming(self.n)
        StrategicPriming(self.judge_first)
        CognitiveOffload(self.tau, self.rho, self.direction)
        InterventionRequest(self.k, self.m, self.expressions)
        RepetitionGuard(self.repeats)
        SHARE.check("share (a probability)", self.share)
        STREAK.check("every (steps)", self.every)
        NATS.check("entropy (nats)", self.entropy)
        SHARE.check("confidence (a probability)", self.confidence)
        SHARE.check("risk (a probability)", self.risk)
        if not self.tag.strip():
            raise ValueError("tag must be a text that a model can write, not white space")
        if not self.cues or not all(map(first_word, self.cues)):
            raise ValueError("cues must be words, one at least")
        JudgeRejection(self.accept)
        RewardRejection(self.delta)


AS_IN_THE_PAPER = Thresholds(repeats=0, script_stop=True)
"""No guard against repetition, and SpecReason's own rule for the end of the thinking.

The paper does not give k.
"""
