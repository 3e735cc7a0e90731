"""The HTTP routes: those that a pair answers, and those about the gateway itself."""

from trigreason.gateway.routes.completions import router as completions
from trigreason.gateway.routes.inspection import router as inspection

__all__ = ["completions", "inspection"]
