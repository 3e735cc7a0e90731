"""From the logs of comparisons to a page that explains itself, and its figures.

``collect`` reads logs into comparisons, ``numbers`` says what they come to, ``drawing`` makes the
figures, ``examples`` picks runs to read, and ``page`` puts it all into one HTML file.
"""
