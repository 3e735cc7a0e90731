"""The HTTP routes: those that a pair answers, those that are passed on, and the rest."""

from trigreason.gateway.routes.browsing import router as browsing
from trigreason.gateway.routes.generation import router as generation
from trigreason.gateway.routes.inspection import router as inspection
from trigreason.gateway.routes.passing_on import router as passing_on
from trigreason.gateway.routes.traces import replaying
from trigreason.gateway.routes.traces import router as traces

__all__ = ["browsing", "generation", "inspection", "passing_on", "replaying", "traces"]
