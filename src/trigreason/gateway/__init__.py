"""The OpenAI-compatible server: pairs behind one endpoint.

A request's way: ``routes`` understands it (``chat``, ``responses``: the words of each API),
``delivery`` lets it wait (``admission``), run (``runs``) and be answered, ``service`` closes the
books (``storage``, ``telemetry``). ``exchange`` is what all of them speak of.
"""
