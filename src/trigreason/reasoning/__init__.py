"""The idea itself: tokens, steps, triggers, methods and the trace. Pure; standard library only."""

from trigreason.reasoning.hesitation import HESITATION_EXPRESSIONS, find_hesitations
from trigreason.reasoning.judge import Scoring, read_score
from trigreason.reasoning.messages import Message
from trigreason.reasoning.method_run import Halt, MethodRun
from trigreason.reasoning.methods import (
    Decision,
    Judge,
    Method,
    MethodEntry,
    Reward,
    Rewrite,
    Solo,
    SpecReason,
    TrigReason,
    Write,
    make_method,
    method_entry,
    methods,
)
from trigreason.reasoning.reading import Features, Reader, Reading
from trigreason.reasoning.records import (
    Degraded,
    Handover,
    ModelUse,
    Prices,
    Purpose,
    StepRecord,
    StopReason,
    Stretch,
)
from trigreason.reasoning.repetition import RepetitionGuard, repeated_run
from trigreason.reasoning.replay import Firing, Replayed, replay, what_if
from trigreason.reasoning.rewards import RewardRequest, ScorerLog
from trigreason.reasoning.spending import (
    Prompt,
    Spent,
    prompt_of,
    prompt_tokens,
    spent,
    spent_on_rewards,
)
from trigreason.reasoning.steps import Author, Step, StepBreak, StepCutter, StepEnd
from trigreason.reasoning.tags import KNOWN_TAGS, THINK_TAGS, Tags
from trigreason.reasoning.thresholds import Thresholds
from trigreason.reasoning.tokens import (
    Alternative,
    Token,
    join_text,
    low_perplexity_ratio,
    perplexity,
    sharpen,
    usable_logprob,
)
from trigreason.reasoning.tools import Tool, ToolCall
from trigreason.reasoning.trace import Trace
from trigreason.reasoning.trace_json import load_trace, totals, trace_from_json, trace_to_json
from trigreason.reasoning.triggers import (
    CognitiveOffload,
    Direction,
    InterventionRequest,
    StrategicPriming,
    Trigger,
)

__all__ = [
    "HESITATION_EXPRESSIONS",
    "KNOWN_TAGS",
    "THINK_TAGS",
    "Alternative",
    "Author",
    "CognitiveOffload",
    "Decision",
    "Degraded",
    "Direction",
    "Features",
    "Firing",
    "Halt",
    "Handover",
    "InterventionRequest",
    "Judge",
    "Message",
    "Method",
    "MethodEntry",
    "MethodRun",
    "ModelUse",
    "Prices",
    "Prompt",
    "Purpose",
    "Reader",
    "Reading",
    "RepetitionGuard",
    "Replayed",
    "Reward",
    "RewardRequest",
    "Rewrite",
    "ScorerLog",
    "Scoring",
    "Solo",
    "SpecReason",
    "Spent",
    "Step",
    "StepBreak",
    "StepCutter",
    "StepEnd",
    "StepRecord",
    "StopReason",
    "StrategicPriming",
    "Stretch",
    "Tags",
    "Thresholds",
    "Token",
    "Tool",
    "ToolCall",
    "Trace",
    "TrigReason",
    "Trigger",
    "Write",
    "find_hesitations",
    "join_text",
    "load_trace",
    "low_perplexity_ratio",
    "make_method",
    "method_entry",
    "methods",
    "perplexity",
    "prompt_of",
    "prompt_tokens",
    "read_score",
    "repeated_run",
    "replay",
    "sharpen",
    "spent",
    "spent_on_rewards",
    "totals",
    "trace_from_json",
    "trace_to_json",
    "usable_logprob",
    "what_if",
]
