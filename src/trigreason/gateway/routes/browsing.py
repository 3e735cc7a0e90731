"""The page at ``/`` and its files, for browsers."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from trigreason.page import HEADERS, asset

router = APIRouter(include_in_schema=False)


@router.get("/")
async def page(request: Request) -> Response:
    """The page, for clients that read HTML; the others get the 404 of an unknown path."""
    if "text/html" not in request.headers.get("accept", "").lower():
        raise HTTPException(404, headers={"vary": "accept"})
    return _served("index.html", request, {"vary": "accept"})


@router.get("/page/{name}")
async def page_file(name: str, request: Request) -> Response:
    """A file of the page."""
    return _served(name, request, {})


def _served(name: str, request: Request, more: dict[str, str]) -> Response:
    found = asset(name)
    if found is None:
        raise HTTPException(404)
    headers = HEADERS | more | {"etag": found.tag}
    if request.headers.get("if-none-match") == found.tag:
        return Response(status_code=304, headers=headers)
    return Response(found.body, headers=headers | {"content-type": found.kind})
