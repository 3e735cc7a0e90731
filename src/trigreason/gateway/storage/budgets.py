"""Limits of keys, kept under concurrency and across processes.

An exchange that is let in reserves what it is likely to come to, and its record replaces the
reservation by what it came to; both happen under the key's lock (``usage.lock``), and so every
exchange is counted at every moment, once. What is refused costs nothing.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from time import time

from sqlalchemy import Connection, func, insert, select, update

from trigreason.gateway.keys import ActiveKey, KeyLimits
from trigreason.gateway.storage.errors import OverLimit
from trigreason.gateway.storage.periods import Period
from trigreason.gateway.storage.tables import MOST_NANO, RESERVATIONS, nano
from trigreason.gateway.storage.usage import Used, add, lock, used

EXPERIENCE = 5
"""From so many exchanges in this month on, a key's average says what the next will come to."""

RESERVED_SECONDS = 45.0
"""How long a reservation holds unless the process that made it renews it."""

SOON_SECONDS = 5.0
"""When to ask again where a limit is reached only by what is in flight."""


@dataclass(frozen=True, slots=True)
class Worst:
    """What an exchange's budget comes to; ``usd`` is None where no price is known.

    An estimate for keys without an average: drafts and scores are not in it. What the prompt
    comes to is sure, and is held back whatever the average is.
    """

    tokens: int
    usd: float | None
    prompt_tokens: int = 0
    prompt_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class _Held:
    """What is reserved, for one exchange or for all in flight."""

    tokens: int
    nano_usd: int


def admit(connection: Connection, key: ActiveKey, exchange: str, worst: Worst) -> None:
    """Let an exchange in and reserve for it, for RESERVED_SECONDS; :func:`renew` makes it longer.

    Time is this machine's: gateways that share a database need clocks that agree to a second.

    Raises:
        OverLimit: a limit of the key is reached.
    """
    lock(connection, [key.id])
    now = time()
    usage = used(connection, key.id, now)
    requests = key.limits.requests_per_minute
    if requests is not None and usage[Period.MINUTE].admitted >= requests:
        raise OverLimit("requests_per_minute", Period.MINUTE.rest(now), is_spent=True)
    if _reserves(key.limits):
        held = _held(connection, key.id, now)
        for name, period, limit, spent, reserved in _bounds(key.limits, usage, held):
            if spent + reserved >= limit:
                rest, is_spent = period.rest(now), spent >= limit
                after = rest if is_spent else min(rest, SOON_SECONDS)
                raise OverLimit(name, after, is_spent=is_spent)
        expected = _expected(usage[Period.MONTH], worst)
        connection.execute(
            insert(RESERVATIONS).values(
                exchange=exchange,
                key=key.id,
                tokens=expected.tokens,
                nano_usd=expected.nano_usd,
                expires=now + RESERVED_SECONDS,
            )
        )
    if requests is not None:
        start = Period.MINUTE.start(now)
        add(connection, key.id, Period.MINUTE, start, Used(admitted=1))


def renew(connection: Connection, exchanges: Collection[str]) -> set[str]:
    """Let reservations hold on, also lapsed ones; which of them there still are."""
    own = RESERVATIONS.c.exchange.in_(exchanges)
    expires = time() + RESERVED_SECONDS
    connection.execute(update(RESERVATIONS).where(own).values(expires=expires))
    return set(connection.scalars(select(RESERVATIONS.c.exchange).where(own)))


def _reserves(limits: KeyLimits) -> bool:
    bounds = (limits.tokens_per_minute, limits.usd_per_day, limits.usd_per_month)
    return any(bound is not None for bound in bounds)


def _bounds(
    limits: KeyLimits, usage: dict[Period, Used], held: _Held
) -> Iterator[tuple[str, Period, int, int, int]]:
    """Each limit there is: its name, its period, how much, and what is spent and reserved."""
    if limits.tokens_per_minute is not None:
        spent = usage[Period.MINUTE].tokens
        yield "tokens_per_minute", Period.MINUTE, limits.tokens_per_minute, spent, held.tokens
    for name, period, usd in (
        ("usd_per_day", Period.DAY, limits.usd_per_day),
        ("usd_per_month", Period.MONTH, limits.usd_per_month),
    ):
        if usd is not None:
            yield name, period, nano(usd), usage[period].nano_usd, held.nano_usd


def _held(connection: Connection, key: str, now: float) -> _Held:
    """What a key's exchanges in flight have reserved, without what has lapsed."""
    own = (RESERVATIONS.c.key == key) & (RESERVATIONS.c.expires > now)
    sums = select(func.sum(RESERVATIONS.c.tokens), func.sum(RESERVATIONS.c.nano_usd)).where(own)
    tokens, nano_usd = connection.execute(sums).one()
    return _Held(int(tokens or 0), int(nano_usd or 0))


def _expected(month: Used, worst: Worst) -> _Held:
    tokens, nano_usd = worst.tokens, 0 if worst.usd is None else nano(worst.usd)
    least = _Held(worst.prompt_tokens, nano(worst.prompt_usd))
    most = _Held(least.tokens + tokens, min(least.nano_usd + nano_usd, MOST_NANO))
    if month.settled < EXPERIENCE:
        return most
    return _Held(
        max(least.tokens, min(most.tokens, math.ceil(month.tokens / month.settled))),
        max(least.nano_usd, min(most.nano_usd, math.ceil(month.nano_usd / month.settled))),
    )
