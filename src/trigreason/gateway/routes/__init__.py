"""Where requests arrive: those that ask a pair, and those that look at the gateway itself."""

from trigreason.gateway.routes.asking import router as asking
from trigreason.gateway.routes.looking import router as looking

__all__ = ["asking", "looking"]
