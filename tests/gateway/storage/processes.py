"""What storage tests let other processes do: ``python -m tests.gateway.storage.processes ...``.

enter PLACE             enter records for ever, and print each id after ``enter`` has returned
admit PLACE KEY N USD   admit N exchanges at once, in flight for ever; print how many got through
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
import time

from tests.gateway.storage.books import is_admitted, record
from trigreason.gateway.storage import Storage, Worst


async def enter(place: str) -> None:
    storage = await Storage.open(place, traces_days=7)
    for index in itertools.count():
        identity = f"{os.getpid()} {index}"
        storage.enter(record(identity, traces={f"trace {identity}": {"text": "x" * 2000}}))
        os.write(sys.stdout.fileno(), f"{identity}\n".encode())
        await asyncio.sleep(0.0005)


async def admit(place: str, text: str, count: str, usd: str) -> None:
    storage = await Storage.open(place, traces_days=7)
    key = await storage.authenticate(text)
    assert key is not None
    print("ready", flush=True)
    sys.stdin.readline()
    worst = Worst(100, float(usd))
    # The minute is not to change in between.
    if time.time() % 60 > 50:
        await asyncio.sleep(60 - time.time() % 60)
    asked = (is_admitted(storage, key, f"{os.getpid()} {n}", worst) for n in range(int(count)))
    print(sum(await asyncio.gather(*asked)), flush=True)
    await storage.close()


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    asyncio.run(enter(*arguments) if what == "enter" else admit(*arguments))
