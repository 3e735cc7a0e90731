"""TrigReason: two reasoning models answer like the large one while the small one does the work.

``trigreason.reasoning`` is the idea, pure and without dependencies; ``trigreason.reasoner.reason``
runs it over two models; ``trigreason.bundled.load_pair`` is a pair to try it on.
"""

__version__ = "0.1.0"
