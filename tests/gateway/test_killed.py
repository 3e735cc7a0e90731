"""Kill -9, of the models and of the gateway: answers end in words, and the books are whole."""

from __future__ import annotations

import asyncio
import re
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from time import monotonic, time

import aiohttp
import pytest

from bench.fast_upstream import fast_upstream
from tests.gateway.scripted import pair_toml, scripted
from tests.gateway.serving import GatewayProcess, chat
from tests.gateway.whole_answers import Answer, asked, patient
from tests.scripted_server import Body, Reply, chatter, words
from tests.servers import ServerProcess, free_port, llama_cpp, running
from trigreason.bundled import LRM_FILE, SRM_FILE, problems
from trigreason.gateway.keys import KeyLimits
from trigreason.gateway.storage import Storage
from trigreason.reasoning import Author

pytest_plugins = ["tests.gateway.postgresql"]
pytestmark = pytest.mark.slow

FILES = {Author.SRM: SRM_FILE, Author.LRM: LRM_FILE}
CLIENTS = 16
CONTEXT_TOKENS = 1024
PATIENCE_SECONDS = 30.0
"""For anything that has to happen in another process."""

SOON_AWAY = """
[engines.{name}.breaker]
failures = 3
rest_seconds = 1
"""
POLICY = """
[pairs.p.failure]
retries = 1
backoff_seconds = 0.05
[pairs.p.thresholds]
n = 2
[pairs.p.budget]
thinking_tokens = 400
answer_tokens = 100
"""


@asynccontextmanager
async def served(folder: Path, toml: str, **environment: str) -> AsyncIterator[GatewayProcess]:
    await asyncio.to_thread(folder.mkdir, exist_ok=True)
    process = GatewayProcess(folder, toml, environment=environment)
    try:
        await asyncio.to_thread(process.wait_until_ready)
        yield process
    finally:
        process.stop(signal.SIGKILL)


class Crowd:
    """Clients that ask for one answer after the other.

    ``cut_off`` are the failures that no word of the gateway stood before.
    """

    def __init__(self, url: str, model: str) -> None:
        self._asked: list[tuple[float, Answer]] = []
        self.cut_off: list[str] = []
        self._url = url
        self._model = model
        self._goes_on = True
        self.lanes = 0

    async def lane(self, session: aiohttp.ClientSession, lane: int) -> None:
        self.lanes += 1
        number = lane
        while self._goes_on:
            question = problems()[number % 40].question
            body = chat(question, model=self._model, seed=number)
            began = monotonic()
            try:
                self._asked.append((began, await asked(session, self._url, body)))
            except aiohttp.ClientError as error:
                self.cut_off.append(repr(error))
                await asyncio.sleep(0.05)
            number += CLIENTS
        self.lanes -= 1

    def answers(self, since: float = 0.0) -> list[Answer]:
        """Those that ended, to requests that began at this moment or later."""
        return [answer for began, answer in self._asked if began >= since]

    def stop(self) -> None:
        self._goes_on = False


@asynccontextmanager
async def crowd(url: str, model: str = "p") -> AsyncIterator[Crowd]:
    """A crowd at work; on leaving, it has gone home."""
    clients = Crowd(url, model)
    async with patient() as session, asyncio.TaskGroup() as group:
        for lane in range(CLIENTS):
            group.create_task(clients.lane(session, lane))
        try:
            yield clients
        finally:
            clients.stop()


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not holds():  # noqa: ASYNC110 - what is waited for is in another process
            await asyncio.sleep(0.02)


async def until_breaker(url: str, author: Author, state: float) -> None:
    """Wait until a model's breaker is at 0 (closed) or 2 (open)."""
    line = re.compile(rf'trigreason_breaker_state{{[^}}]*model="{author}"[^}}]*}} (\S+)')
    async with asyncio.timeout(PATIENCE_SECONDS), aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"{url}/metrics") as page:
                found = line.search(await page.text())
            assert found, "the breaker is measured"
            if float(found[1]) == state:
                return
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("author", list(Author))
async def test_a_model_is_killed_under_load_and_comes_back(tmp_path: Path, author: Author) -> None:
    def server(of: Author, port: int) -> ServerProcess:
        return llama_cpp(FILES[of], slots=CLIENTS, context_tokens=CONTEXT_TOKENS, port=port)

    ports = {each: free_port() for each in Author}
    servers = {each: server(each, ports[each]) for each in Author}
    toml = pair_toml(*(f"http://127.0.0.1:{ports[each]}/v1" for each in (Author.SRM, Author.LRM)))
    toml += POLICY + SOON_AWAY.format(name="s") + SOON_AWAY.format(name="l")
    with running(list(servers.values())):
        async with served(tmp_path, toml) as gateway, crowd(gateway.url) as clients:
            await eventually(lambda: len(clients.answers()) > CLIENTS)
            assert not any(degraded(answer) for answer in clients.answers())
            servers[author].kill()
            await until_breaker(gateway.url, author, 2.0)
            opened = monotonic()
            await eventually(lambda: len(clients.answers(opened)) > 2 * CLIENTS)
            alone = clients.answers(opened)
            with running([server(author, ports[author])]):
                await until_breaker(gateway.url, author, 0.0)
                closed = monotonic()
                await eventually(lambda: len(clients.answers(closed)) > 2 * CLIENTS)
                clients.stop()
                await eventually(lambda: clients.lanes == 0)  # the last ones want it too
    assert clients.cut_off == []
    for answer in clients.answers():
        assert answer.is_whole or answer.error is not None, answer.body[-500:]
        if answer.error is not None:
            assert answer.error["code"] in ("engine_failed", "engine_unavailable")
    assert all(degraded(answer) == author for answer in alone if answer.is_whole)
    assert sum(answer.is_whole for answer in alone) >= CLIENTS
    assert all(answer.is_whole for answer in clients.answers(closed))
    assert not any(degraded(answer) for answer in clients.answers(closed))


def degraded(answer: Answer) -> str | None:
    """The model that stayed away, by a whole answer's own word."""
    told = answer.account["degraded"] if answer.is_whole else None
    return None if told is None else str(told["author"])


async def test_a_killed_gateway_loses_no_record_of_a_finished_request(tmp_path: Path) -> None:
    finished: set[str] = set()
    with fast_upstream(steps=3) as upstream:
        for _ in range(3):
            async with served(tmp_path, pair_toml(upstream)) as gateway:
                async with crowd(gateway.url) as clients:
                    await eventually(lambda: len(clients.answers()) > 10 * CLIENTS)
                    gateway.stop(signal.SIGKILL)
                    clients.stop()
                finished |= {answer.id for answer in clients.answers() if answer.is_whole}
    assert len(finished) > 30 * CLIENTS
    place = tmp_path / "trigreason" / "gateway.db"
    storage = await Storage.open(str(place), traces_days=1)
    await storage.close()
    assert finished <= records(place).keys()
    assert not list(place.parent.glob("**/*.jsonl"))


def records(place: Path) -> dict[str, str]:
    """The outcome of each request in a database, which must be whole."""
    with closing(sqlite3.connect(place)) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return dict(database.execute("SELECT id, outcome FROM gateway_records"))


async def test_two_gateways_on_one_postgresql_keep_one_limit(
    tmp_path: Path, postgresql_url: str
) -> None:
    storage = await Storage.open(postgresql_url, traces_days=1)
    try:
        new = await storage.create_key("team", limits=KeyLimits(requests_per_minute=20))
    finally:
        await storage.close()
    with fast_upstream(steps=3) as upstream:
        toml = pair_toml(upstream) + '[gateway]\ndatabase_env = "GATEWAY_DATABASE"\n'
        async with (
            served(tmp_path / "one", toml, GATEWAY_DATABASE=postgresql_url) as one,
            served(tmp_path / "two", toml, GATEWAY_DATABASE=postgresql_url) as two,
        ):
            if (left := 60 - time() % 60) < 15:
                await asyncio.sleep(left)  # all of them within one minute
            async with patient() as session:
                answers = await asyncio.gather(
                    *(
                        asked(session, gateway.url, chat(model="p"), new.text)
                        for _ in range(50)
                        for gateway in (one, two)
                    )
                )
    whole = [answer for answer in answers if answer.is_whole]
    refused = [answer for answer in answers if answer.status == 429]
    assert (len(whole), len(refused)) == (20, 80)
    for answer in refused:
        assert answer.error is not None
        assert answer.error["code"] == "rate_limit_exceeded"
        assert 1 <= int(answer.headers["retry-after"]) <= 60


async def test_streams_finish_after_sigterm_or_end_with_a_word(tmp_path: Path) -> None:
    def script(body: Body) -> Reply:
        if "briefly" in body["prompt"]:
            return Reply(words("On " * 60 + "\n\nand so</think>\n\nit is."), pause=0.01)
        return chatter(pause=0.01)

    limits = "[gateway]\n[gateway.limits]\nshutdown_seconds = 3\n"
    async with scripted(script) as server, patient() as session:
        async with served(tmp_path, pair_toml(server.url) + limits) as gateway:
            asking = [
                asyncio.create_task(asked(session, gateway.url, chat(question, model="p")))
                for question in ("briefly", "at length") * 4
            ]
            await eventually(lambda: server.open_streams == len(asking))
            stopping = asyncio.create_task(asyncio.to_thread(gateway.stop, signal.SIGTERM))
            answers = await asyncio.gather(*asking)
            code = await stopping
        assert server.open_streams == 0
    for brief, long in zip(answers[::2], answers[1::2], strict=True):
        assert brief.is_whole
        assert brief.text[1] == "it is."
        assert long.status == 200
        assert long.error is not None
        assert long.error["code"] == "shutdown"
        assert long.body.endswith(b"data: [DONE]\n\n")
    assert code == 0
    outcomes = records(tmp_path / "trigreason" / "gateway.db")
    assert outcomes == {
        answer.id: "finished" if answer.is_whole else "failed" for answer in answers
    }
