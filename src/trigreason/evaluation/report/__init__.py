"""Turns the logs of comparisons into a page that explains itself, with figures.

``collect`` reads logs into comparisons, ``numbers`` computes their numbers, ``drawing`` makes the
figures, ``examples`` picks runs to read, and ``page`` puts it all into one HTML file.
"""
