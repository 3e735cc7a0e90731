"""A method in a package of its own: the LRM writes every n-th step, whatever the steps say."""

from dataclasses import dataclass

from trigreason.reasoning import Author, Method, MethodEntry, Reading, Trigger, Write


@dataclass
class EveryNth(Method):
    n: int
    steps: int = 0

    def open(self) -> Write:
        self.steps = 0
        return self._next()

    def on_step(self, reading: Reading) -> Write:
        self.steps += not reading.is_blank
        return self._next()

    def _next(self) -> Write:
        is_turn = self.n and self.steps % self.n == self.n - 1
        return Write(Author.LRM, 1, Trigger.METHOD) if is_turn else Write(Author.SRM)


ENTRY = MethodEntry("every_nth", "Every n-th", lambda given: EveryNth(given.n), frozenset({"n"}))
