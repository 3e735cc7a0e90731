"""What a model made of a problem: the answer it boxed, and its steps, each right or wrong as far as
that can be told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp
from pathlib import Path

from training.data import prompt
from training.held_out import development
from training.published import questions
from training.serving import Generated, Llama
from trigreason.bundled.families import FAMILIES
from trigreason.bundled.families.chains import Solution

SURE = 1.05
"""A token is of low perplexity if exp(-logprob) is below this; their share is the paper's r."""
_BOXED = re.compile(r"\\boxed\{(.*)\}")
_HESITATES = re.compile(r"(Wait|Hmm|Maybe|Actually)\b")


@dataclass(frozen=True, slots=True)
class Attempted:
    """One generated step, judged against the only right chain."""

    text: str
    logprobs: tuple[float, ...]
    right: bool

    @property
    def sure_share(self) -> float:
        """r of the cognitive offload trigger: the share of tokens of low perplexity."""
        return sum(exp(-logprob) < SURE for logprob in self.logprobs) / len(self.logprobs)

    @property
    def lowest(self) -> float:
        return min(self.logprobs)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A problem and one greedy answer to it.

    `steps` are the steps up to and with the first wrong one; what follows an error, or a
    hesitation, has no label.
    """

    solution: Solution
    generated: Generated
    steps: tuple[Attempted, ...]

    @property
    def solved(self) -> bool:
        return boxed(self.generated.text) == self.solution.target

    @property
    def hesitates(self) -> bool:
        return any(hesitates(step) for step in self.generated.text.split("\n\n"))


def hesitates(step: str) -> bool:
    """Whether a step, or its first word, doubts what stands before it."""
    return _HESITATES.match(step) is not None


def boxed(text: str) -> str | None:
    """The answer after the thinking, or None."""
    _, ended, answer = text.partition("</think>")
    found = _BOXED.search(answer) if ended else None
    return found.group(1) if found else None


def problems(family: str, published: Path | None) -> list[Solution]:
    """The published problems of a family if their folder is given, else the held-out ones."""
    if published is None:
        return list(development(family))
    return [FAMILIES[family].solve(question) for question, _ in questions(published, family)]


def attempt(llama: Llama, solutions: Sequence[Solution]) -> list[Attempt]:
    """Greedy answers to the problems, in order."""
    generated = llama.complete([prompt(solution.question) for solution in solutions])
    return [
        Attempt(solution, answer, labelled_steps(solution, answer))
        for solution, answer in zip(solutions, generated, strict=True)
    ]


def labelled_steps(solution: Solution, generated: Generated) -> tuple[Attempted, ...]:
    """The steps that can be labelled: those like the ideal chain's, and the first that differs.

    A step that opens with a hesitation is neither right nor wrong and ends the list.
    """
    steps: list[Attempted] = []
    ideal = solution.steps
    text, logprobs = "", []
    for token, logprob in generated.tokens:
        ends = "\n\n" in token or token == "</think>"
        text += "" if token == "</think>" else token
        logprobs.append(logprob)
        if not ends:
            continue
        written = text.strip()
        if hesitates(written):
            break
        right = len(steps) < len(ideal) and written == ideal[len(steps)]
        steps.append(Attempted(written, tuple(logprobs), right))
        if not right or token == "</think>":
            break
        text, logprobs = "", []
    return tuple(steps)


def auc(higher: Sequence[float], lower: Sequence[float]) -> float:
    """The chance that a random member of `higher` exceeds one of `lower`; ties count half.

    Raises:
        ValueError: one of them is empty.
    """
    if not higher or not lower:
        raise ValueError("an AUC needs examples of both kinds")
    ranked = sorted([(value, 1) for value in higher] + [(value, 0) for value in lower])
    wins, below, index = 0.0, 0, 0
    while index < len(ranked):
        end = index
        while end < len(ranked) and ranked[end][0] == ranked[index][0]:
            end += 1
        tied = ranked[index:end]
        up = sum(kind for _, kind in tied)
        down = len(tied) - up
        wins += up * (below + down / 2)
        below += down
        index = end
    return wins / (len(higher) * len(lower))
