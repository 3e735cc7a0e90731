"""What can go wrong with keys, limits and the database."""

from __future__ import annotations


class StorageError(ValueError):
    """The database cannot be used. A ValueError, so that a command tells of it in one line."""


class DatabaseAway(StorageError):
    """The database does not answer, or not in time; what was asked of it may work later."""


class DatabaseNewer(StorageError):
    """A later version of TrigReason has been here, and this one cannot read what it wrote."""


class NameTaken(StorageError):
    """A key that is in force has this name already."""


class OverLimit(Exception):
    """A key has used up a limit.

    ``limit`` is its name among KeyLimits, ``retry_after`` the seconds after which asking again
    makes sense. ``is_spent`` is False where only what is held back for requests under way
    reaches the limit.
    """

    def __init__(self, limit: str, retry_after: float, *, is_spent: bool) -> None:
        super().__init__(f"{limit} is used up for {retry_after:.0f} s")
        self.limit = limit
        self.retry_after = retry_after
        self.is_spent = is_spent
