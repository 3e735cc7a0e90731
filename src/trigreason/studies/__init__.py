"""What recorded runs tell: replay, signals, calibration, other deployments, the judge."""
