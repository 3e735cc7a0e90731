"""``python -m trigreason``."""

from trigreason.cli import main

main()
