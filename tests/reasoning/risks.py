"""A risk model for tests."""

from __future__ import annotations

from trigreason.reasoning.risk import Curve, RiskModel

RISK = RiskModel(
    -1.0,
    (
        Curve("min_logprob", (-1.0, -0.1), (3.0, -2.0)),
        Curve("hesitates", (0.0, 1.0), (0.0, 1.5)),
        Curve("position", (0.0, 3.0), (0.5, 0.0)),
    ),
)
"""High for steps with an unlikely token, a little higher for hesitating and for early ones."""
