"""The gateway as an ASGI application."""

from __future__ import annotations

from fastapi import FastAPI

from trigreason import __version__
from trigreason.gateway.access import Access
from trigreason.gateway.documents import ANSWERS
from trigreason.gateway.refusing import answer_errors, let_pages_ask, limit_bodies
from trigreason.gateway.routes import generation, inspection
from trigreason.gateway.service import Service


def make_app(service: Service) -> FastAPI:
    """All routes, over an open service."""
    app = FastAPI(
        title="TrigReason gateway",
        version=__version__,
        description="A small and a large reasoning model behind OpenAI's and Anthropic's APIs.",
        responses=ANSWERS,
        redoc_url=None,
    )
    app.state.service = service
    app.state.access = Access(service.storage, is_local=service.is_local)
    app.include_router(generation)
    app.include_router(inspection)
    answer_errors(app, service)
    limit_bodies(app, service.settings.limits.body_bytes)
    let_pages_ask(app, is_local=service.is_local)
    return app
