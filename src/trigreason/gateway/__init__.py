"""The server that speaks OpenAI's and Anthropic's APIs: pairs behind one endpoint.

``routes`` parses a request (``chat``, ``responses`` and ``messages`` are its APIs),
``delivery`` queues it (``admission``), runs it (``runs``) and sends the response, ``service``
records it (``storage``, ``telemetry``). ``exchange`` is the object that all of them share.
"""
