"""The gateway as an ASGI application."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.types import ASGIApp

from trigreason import __version__
from trigreason.gateway.access import Access
from trigreason.gateway.documents import ANSWERS
from trigreason.gateway.pages import readable_by_pages
from trigreason.gateway.refusing import answer_errors, limit_bodies
from trigreason.gateway.request_ids import RequestIds
from trigreason.gateway.routes import (
    browsing,
    generation,
    inspection,
    passing_on,
    replaying,
    traces,
)
from trigreason.gateway.service import Service


def make_app(service: Service) -> ASGIApp:
    """All routes, over an open service."""
    app = FastAPI(
        title="TrigReason gateway",
        version=__version__,
        description="A small and a large reasoning model behind OpenAI's and Anthropic's APIs.",
        responses=ANSWERS,
        docs_url=None,
        redoc_url=None,
    )
    app.state.service = service
    app.state.access = Access(service.storage, is_local=service.is_local)
    for router in (generation, passing_on, replaying, traces, inspection, browsing):
        app.include_router(router)
    answer_errors(app, service)
    limit_bodies(app, service.settings.limits.body_bytes)
    pages = readable_by_pages(app, service.settings.origins, is_local=service.is_local)
    return RequestIds(pages)
