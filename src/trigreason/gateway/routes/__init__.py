"""The HTTP routes: those that a pair answers, and those about the gateway itself."""

from trigreason.gateway.routes.generation import router as generation
from trigreason.gateway.routes.inspection import router as inspection

__all__ = ["generation", "inspection"]
