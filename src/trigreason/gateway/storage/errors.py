"""Errors of keys, limits and the database."""

from __future__ import annotations


class StorageError(ValueError):
    """The database cannot be used. A ValueError, which commands print in one line."""


class DatabaseAway(StorageError):
    """The database does not answer, or not in time; the call may succeed later."""


class DatabaseNewer(StorageError):
    """A later version of TrigReason has migrated the database, and this one cannot read it."""


class NameTaken(StorageError):
    """An active key already has this name."""


class OverLimit(Exception):
    """A key has used up a limit.

    ``limit`` is its name in KeyLimits, ``retry_after`` the seconds after which to retry.
    ``is_spent`` is False if the limit is only reached together with the reservations of running
    requests.
    """

    def __init__(self, limit: str, retry_after: float, *, is_spent: bool) -> None:
        super().__init__(f"{limit} is used up for {retry_after:.0f} s")
        self.limit = limit
        self.retry_after = retry_after
        self.is_spent = is_spent
