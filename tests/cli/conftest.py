"""Fixtures of the command line's tests."""

from tests.cli.commands import command

__all__ = ["command"]
