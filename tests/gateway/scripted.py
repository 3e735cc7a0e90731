"""Scripted models that a gateway can be configured for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from tests.scripted_server import Script, ScriptedServer, listening


@asynccontextmanager
async def scripted(script: Script, silent: bool = False) -> AsyncIterator[ScriptedServer]:
    """A scripted server that lists its model; a silent one never begins to answer."""
    server = ScriptedServer(script)

    async def listed(_: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "m"}]})

    async def say_nothing(request: web.Request) -> web.StreamResponse:
        server.open_streams += 1
        try:
            await asyncio.sleep(60)
        finally:
            server.open_streams -= 1
        return web.Response()

    app = web.Application()
    app.router.add_get("/v1/models", listed)
    app.router.add_post("/v1/completions", say_nothing if silent else server.complete)
    async with listening(app) as root:
        server.url = f"{root}/v1"
        yield server


def pair_toml(srm_url: str, lrm_url: str | None = None) -> str:
    """The pair ``p`` of the models at these addresses; further keys of ``pairs.p`` may follow."""
    return (
        f'[engines.s]\nurl = "{srm_url}"\n[engines.l]\nurl = "{lrm_url or srm_url}"\n'
        '[pairs.p]\nsrm = "s"\nlrm = "l"\n'
    )
