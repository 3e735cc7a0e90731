"""A double of the Hugging Face hub: as much of its HTTP API as fetching a model needs.

The hub cannot be reached from where the tests run. This is built from what the client
``huggingface_hub`` (2.4) asks and reads: ``/api/models/…`` with files and card, ``/resolve/…``,
which sends large files on to another host by a signed link, and that host, which serves ranges.
Like the hub it says 401 for what an anonymous caller may not know to be there, and like the store
of its files it refuses a request that brings a token. It shows nothing of Xet, the hub's other way
to serve files.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from tests.scripted_server import listening

TOKEN = "hf_of_a_reader"
"""May read private repositories."""

MEMBER_TOKEN = "hf_of_a_member"
"""May read gated ones as well."""

CHUNK = 4096


@dataclass(frozen=True, slots=True)
class Repo:
    """A repository: its files by their paths, and who may read it."""

    files: Mapping[str, bytes]
    licence: str | None = "apache-2.0"
    gated: bool = False
    private: bool = False
    branches: tuple[str, ...] = ("main",)

    @property
    def commit(self) -> str:
        content = repr(sorted((path, _sha(data)) for path, data in self.files.items()))
        return hashlib.sha1(content.encode(), usedforsecurity=False).hexdigest()


@dataclass(slots=True)
class HubDouble:
    """The hub's state; ``served`` are the ranges of bytes that left it, by the file's SHA-256.

    ``cut`` is after how many bytes of a file each next connection breaks; ``down`` is a status
    that everything is answered with; ``pause`` is a rest before each 4 KiB, in seconds. In the
    middle of a file ``sending`` is set.
    """

    repos: dict[str, Repo]
    cut: list[int] = field(default_factory=list)
    down: int | None = None
    ignores_ranges: bool = False
    pause: float = 0.0
    sending: asyncio.Event = field(default_factory=asyncio.Event)
    served: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    url: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path}")
        if self.down is not None:
            return web.Response(status=self.down)
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/(.+))?", request.path):
            return self._info(request, match[1], match[2] or "main")
        if match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", request.path):
            return self._resolve(request, match[1], match[2], match[3])
        if match := re.fullmatch(r"/store/([0-9a-f]{64})", request.path):
            return await self._stored(request, match[1])
        return web.Response(status=404)

    def _repo(self, request: web.Request, name: str, revision: str) -> Repo | web.Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token and token not in (TOKEN, MEMBER_TOKEN):
            message = {"X-Error-Message": "Invalid credentials in Authorization header"}
            return web.Response(status=401, headers=message)
        repo = self.repos.get(name)
        if repo is None or (repo.private and not token):
            if not token:
                return web.Response(
                    status=401, headers={"X-Error-Message": "Invalid username or password."}
                )
            return web.Response(status=404, headers={"X-Error-Code": "RepoNotFound"})
        if revision not in (*repo.branches, repo.commit):
            return web.Response(status=404, headers={"X-Error-Code": "RevisionNotFound"})
        return repo

    def _info(self, request: web.Request, name: str, revision: str) -> web.Response:
        repo = self._repo(request, name, revision)
        if isinstance(repo, web.Response):
            return repo
        return web.json_response(
            {
                "id": name,
                "sha": repo.commit,
                "private": repo.private,
                "gated": "manual" if repo.gated else False,
                "cardData": {"license": repo.licence} if repo.licence else None,
                "siblings": [
                    {"rfilename": path} | ({"size": len(data)} if "blobs" in request.query else {})
                    for path, data in repo.files.items()
                ],
            }
        )

    def _resolve(
        self, request: web.Request, name: str, revision: str, path: str
    ) -> web.StreamResponse:
        repo = self._repo(request, name, revision)
        if isinstance(repo, web.Response):
            return repo
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if repo.gated and token != MEMBER_TOKEN:
            status = 403 if token else 401
            return web.Response(status=status, headers={"X-Error-Code": "GatedRepo"})
        commit = {"X-Repo-Commit": repo.commit}
        if path not in repo.files:
            return web.Response(status=404, headers={"X-Error-Code": "EntryNotFound", **commit})
        data = repo.files[path]
        store = self.url.replace("127.0.0.1", "localhost")
        return web.Response(
            status=302,
            headers={
                **commit,
                "X-Linked-Size": str(len(data)),
                "X-Linked-Etag": f'"{_sha(data)}"',
                "Location": f"{store}/store/{_sha(data)}?signature=1",
            },
        )

    async def _stored(self, request: web.Request, sha: str) -> web.StreamResponse:
        if "Authorization" in request.headers:
            return web.Response(status=400)
        data = next(
            data
            for repo in self.repos.values()
            for data in repo.files.values()
            if _sha(data) == sha
        )
        begin = 0
        asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        if asked and not self.ignores_ranges:
            begin = int(asked[1])
        headers = {"ETag": f'"{sha}"', "Content-Length": str(len(data) - begin)}
        if begin:
            headers["Content-Range"] = f"bytes {begin}-{len(data) - 1}/{len(data)}"
        response = web.StreamResponse(status=206 if begin else 200, headers=headers)
        await response.prepare(request)
        end = min(len(data), begin + self.cut.pop(0)) if self.cut else len(data)
        for start in range(begin, end, CHUNK):
            await asyncio.sleep(self.pause)
            if start >= begin + 4 * CHUNK:
                self.sending.set()
            await response.write(data[start : min(start + CHUNK, end)])
        self.served.setdefault(sha, []).append((begin, end))
        if end < len(data) and request.transport is not None:
            request.transport.close()
        return response


@asynccontextmanager
async def hub_double(
    repos: dict[str, Repo], cut: list[int] | None = None
) -> AsyncIterator[HubDouble]:
    """The hub with these repositories, on a port of its own."""
    double = HubDouble(repos, cut or [])
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", double.answer)
    async with listening(app) as url:
        double.url = url
        yield double


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
