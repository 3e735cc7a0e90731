"""How many threads a model uses.

Two models mostly take turns, so each gets all cores. Measured on two cores with models of 0.5 and
1.5 billion parameters: 21.2 and 11.8 tokens/s alone, against 11.9 and 6.3 with one core each. When
both run at once, they write 11.8 and 11.7 with two threads each, and 11.9 and 6.3 with one.
"""

from __future__ import annotations

import os
from pathlib import Path

SMALL_MODEL_BYTES = 64 * 2**20
"""Below this size a second thread makes a model slower."""


def threads_for(model: Path, cores: int | None = None) -> int:
    """Threads for a model, given the cores that this process may use."""
    is_small = model.stat().st_size < SMALL_MODEL_BYTES
    return 1 if is_small else cores or available_cores()


def available_cores() -> int:
    """Cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
