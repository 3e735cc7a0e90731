"""Studies of recorded runs: replay, signals, calibration, simulated deployments, judges."""
