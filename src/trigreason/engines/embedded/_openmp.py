"""Sets how long libgomp's threads spin; must be imported before xllamacpp.

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

import os

SPINNING = "GOMP_SPINCOUNT"
"""The environment variable that libgomp reads when it is loaded; a user's value is kept."""

os.environ.setdefault(SPINNING, "1000")
