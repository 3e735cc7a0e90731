"""How many threads a model uses, and how long they spin; must be imported before xllamacpp.

Two models mostly take turns, so each gets all cores. Measured on two cores with models of 0.5 and
1.5 billion parameters: 21.2 and 11.8 tokens/s alone, against 11.9 and 6.3 with one core each. When
both run at once, they write 11.8 and 11.7 with two threads each, and 11.9 and 6.3 with one.

libgomp's threads wait for each other many times per token, and by default they spin for
milliseconds before they sleep. If another program needs a core, they take the core from the very
thread that they wait for. Here they spin for less.

Tokens written per second by a model of 0.5 billion parameters on two cores, medians of eight:

======================  =======  ====  ====  ===========================
GOMP_SPINCOUNT          default  1000  2000  ``OMP_WAIT_POLICY=passive``
======================  =======  ====  ====  ===========================
alone                      20.8  21.0  20.7                         19.4
beside a busy loop          7.7   9.8   9.0                         11.2
at a load of 10             0.8   6.4   4.8                          9.6
======================  =======  ====  ====  ===========================

The last row is of one or two runs. llama.cpp's own ``poll`` is for builds without OpenMP.
"""

from __future__ import annotations

import os
from pathlib import Path

SPINNING = "GOMP_SPINCOUNT"
"""The environment variable that libgomp reads when it is loaded; a user's value is kept."""

os.environ.setdefault(SPINNING, "1000")

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
