"""The requests of one simulated run, and what the servers' caches know when each is sent."""

from __future__ import annotations

from trigreason.reasoning import Author, Purpose, Stretch, Trigger
from trigreason.studies.simulation.deployment import Deployment
from trigreason.studies.simulation.stream import Stream


class Wire:
    """Each server begins with an empty cache."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self._sent = 0
        self._ended: dict[int, Stretch] = {}
        self._known = dict.fromkeys(Author, 0)

    @property
    def requests(self) -> tuple[Stretch, ...]:
        """Those that have ended, in the order in which they were sent."""
        return tuple(self._ended[number] for number in sorted(self._ended))

    def send(
        self,
        author: Author,
        prompt: int,
        moment: float,
        purpose: Purpose,
        *,
        trigger: Trigger | None = None,
        limit: int | None = None,
    ) -> Stream:
        """A request of ``prompt`` tokens, sent at ``moment`` (seconds)."""
        server = self.deployment.server(author)
        cached = server.cached(self._known[author], prompt)
        self._sent += 1
        return Stream(
            number=self._sent,
            author=author,
            server=server,
            sent=moment,
            first=moment + server.first_token_after(prompt - cached),
            prompt=prompt,
            cached=cached,
            purpose=purpose,
            trigger=trigger,
            limit=limit,
        )

    def knows(self, author: Author, tokens: int) -> None:
        """``author``'s server has read so many tokens of question and thinking that stands.

        It counts as read from a prompt's arrival on.
        """
        self._known[author] = max(self._known[author], tokens)

    def close(self, stream: Stream, moment: float) -> None:
        """Nothing more of ``stream`` is wanted."""
        self._ended[stream.number] = stream.closed(moment)
