"""The OpenAI-compatible server: pairs behind one endpoint.

``routes`` parses a request (``chat`` and ``responses`` hold the schemas of the two APIs),
``delivery`` queues it (``admission``), runs it (``runs``) and sends the response, ``service``
records it (``storage``, ``telemetry``). ``exchange`` is the object that all of them share.
"""
