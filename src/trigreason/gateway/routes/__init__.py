"""The HTTP routes: those that a pair answers, those that are passed on, and the rest."""

from trigreason.gateway.routes.generation import router as generation
from trigreason.gateway.routes.inspection import router as inspection
from trigreason.gateway.routes.passing_on import router as passing_on

__all__ = ["generation", "inspection", "passing_on"]
