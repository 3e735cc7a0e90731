"""Keys' rate limits and budgets, enforced across concurrent requests and processes.

An admitted exchange reserves its expected tokens and cost; its record later replaces the
reservation by the actual ones. Both happen under the key's lock (``usage.lock``), so that every
exchange counts exactly once at any time. A refused exchange counts nothing.
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
"""After so many exchanges in a month, the expected use is the key's average of that month."""

RESERVED_SECONDS = 45.0
"""How long a reservation lasts unless the process that made it renews it."""

SOON_SECONDS = 5.0
"""``retry_after`` if running requests' reservations are what reaches the limit."""


@dataclass(frozen=True, slots=True)
class Worst:
    """The most that an exchange's budget allows; ``usd`` is None if no price is known.

    Keys without an average reserve this estimate, which leaves out drafts and scores. The prompt's
    tokens and cost are certain, and are always reserved.
    """

    tokens: int
    usd: float | None
    prompt_tokens: int = 0
    prompt_usd: float = 0.0


@dataclass(frozen=True, slots=True)
class _Held:
    """Reserved tokens and cost, of one exchange or of all running ones."""

    tokens: int
    nano_usd: int


def admit(connection: Connection, key: ActiveKey, exchange: str, worst: Worst) -> None:
    """Admit an exchange and make its reservation, which lasts RESERVED_SECONDS unless renewed.

    Uses this machine's clock: gateways that share a database need clocks that agree to a second.

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
    """Renew reservations, including expired ones; returns those that still exist."""
    ours = RESERVATIONS.c.exchange.in_(exchanges)
    expires = time() + RESERVED_SECONDS
    connection.execute(update(RESERVATIONS).where(ours).values(expires=expires))
    return set(connection.scalars(select(RESERVATIONS.c.exchange).where(ours)))


def _reserves(limits: KeyLimits) -> bool:
    bounds = (limits.tokens_per_minute, limits.usd_per_day, limits.usd_per_month)
    return any(bound is not None for bound in bounds)


def _bounds(
    limits: KeyLimits, usage: dict[Period, Used], held: _Held
) -> Iterator[tuple[str, Period, int, int, int]]:
    """The limits that are set: name, period, limit, spent, reserved."""
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
    """The sum of a key's reservations that have not expired."""
    current = (RESERVATIONS.c.key == key) & (RESERVATIONS.c.expires > now)
    sums = select(func.sum(RESERVATIONS.c.tokens), func.sum(RESERVATIONS.c.nano_usd)).where(current)
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
