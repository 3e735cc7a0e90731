"""Endless training documents: generated problems in the layout that the runtime prompts with."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from training.families import FAMILIES
from training.judging import JudgeExample, judge_example
from training.published import digest, hashes
from training.slips import Chain, with_slips

USER = "<|im_start|>user\n"
ASSISTANT = "<|im_end|>\n<|im_start|>assistant\n"
END = "<|im_end|>"
JUDGE_REQUEST = "Rate the last step from 0 to 9."
JUDGE_PREFIX = "Score: "


@dataclass(frozen=True, slots=True)
class Document:
    """Text in segments with their loss weights; concatenated they are the whole document."""

    family: str
    segments: tuple[tuple[str, float], ...]

    @property
    def text(self) -> str:
        """The whole document."""
        return "".join(text for text, _ in self.segments)


def prompt(question: str) -> str:
    """What stands before the first step."""
    return f"{USER}{question}{ASSISTANT}<think>\n"


def answer(target: str) -> str:
    """What follows the last step, up to and without the end of the turn."""
    return f"\n</think>\n\nThe answer is \\boxed{{{target}}}."


def solution_document(chain: Chain) -> Document:
    """A worked problem: the learned steps and the answer carry loss."""
    solution, last = chain.solution, len(chain.steps) - 1
    segments = [(prompt(solution.question), 0.0)]
    for index, step in enumerate(chain.steps):
        segments.append((step.text + ("\n\n" if index < last else ""), float(step.learned)))
    segments.append((answer(solution.target) + END, 1.0))
    return Document(solution.family, tuple(segments))


def judge_prompt(question: str, steps_so_far: tuple[str, ...]) -> str:
    """What stands before the judge's digit."""
    steps = "".join(f"{step}\n\n" for step in steps_so_far)
    return f"{prompt(question)}{steps}{END}\n{USER}{JUDGE_REQUEST}{ASSISTANT}{JUDGE_PREFIX}"


def judge_document(family: str, example: JudgeExample) -> Document:
    """A step to be rated: only the digit carries loss."""
    before = judge_prompt(example.question, example.steps_so_far)
    return Document(family, ((before, 0.0), (str(example.digit), 1.0), (END, 0.0)))


def examples(seed: int, mix: Mapping[str, float], judge_share: float = 0.0) -> Iterator[Document]:
    """Documents without end, the same for the same arguments; none holds a published question.

    ``mix`` weighs the families by name; ``judge_share`` of the documents, in expectation, are
    steps to be rated.
    """
    rng = random.Random(seed)
    published = hashes()
    families = [FAMILIES[name] for name in mix]
    weights = list(mix.values())
    while True:
        family = rng.choices(families, weights)[0]
        question = family.generate(rng)
        if digest(question) in published:
            continue
        chain = with_slips(family.solve(question), rng)
        if rng.random() < judge_share:
            yield judge_document(family.name, judge_example(chain, rng))
        else:
            yield solution_document(chain)
