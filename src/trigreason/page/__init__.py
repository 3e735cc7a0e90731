"""What people see of a run: the files of the gateway's page, and a recorded run as one file."""

from trigreason.page.bundle import HEADERS, Asset, asset
from trigreason.page.decisions import decisions_by, every_methods_decisions
from trigreason.page.export import run_page

__all__ = [
    "HEADERS",
    "Asset",
    "asset",
    "decisions_by",
    "every_methods_decisions",
    "run_page",
]
