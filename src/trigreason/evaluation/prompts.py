r"""The user turns of the tasks.

The prompts of AIME and GPQA ask, in our words, for what SpecReason's public script asks for: to
reason step by step, to separate steps by two line breaks (which is what makes them steps), and to
box the final answer. GSM8K and MATH-500 use AIME's prompt. The paper names no prompt for BBH and
ARC; ours ask for the same three things. The task ``bundled`` has none of these prompts: its pair
was trained on the bare questions.
"""

from __future__ import annotations

from collections.abc import Mapping

from trigreason.evaluation.grading import AnswerKind

_STEPS = "Reason step by step and put two line breaks between the steps of your reasoning."
_BOXED = {
    AnswerKind.INTEGER: "the integer alone",
    AnswerKind.LETTER: "the letter of the right option alone",
    AnswerKind.BRACKETS: "only the brackets that are missing, with a space between them",
    AnswerKind.WORD_LIST: "all the words in order, with a space between them",
    AnswerKind.TEXT: "the answer alone",
}


def mathematics(problem: str) -> str:
    """A problem of AIME, GSM8K or MATH-500."""
    return (
        "Solve this problem of mathematics, clearly and without detours. "
        rf"{_STEPS} Put your final answer within \boxed{{}}."
        f"\n\nProblem: {problem}"
    )


def multiple_choice(question: str, options: Mapping[str, str]) -> str:
    """A question with labelled options (GPQA, ARC), in the order of ``options``."""
    labels = list(options)
    listed = "\n".join(f"({label}) {text}" for label, text in options.items())
    return (
        f"Which answer to this question is right? {_STEPS} Put your final answer strictly in the "
        rf"form \boxed{{X}}, where X is one of {', '.join(labels[:-1])} and {labels[-1]}, for "
        rf"example \boxed{{{labels[0]}}}."
        f"\n\nQuestion: {question}\n\nOptions:\n{listed}"
    )


def published(question: str, kind: AnswerKind, pair: tuple[str, str] | None = None) -> str:
    """An item of BBH, whose text is kept as published; ``pair`` are the words to choose from."""
    wanted = f"either {pair[0]} or {pair[1]}" if pair else _BOXED[kind]
    return f"{question}\n\n{_STEPS} Within \\boxed{{}}, give as your final answer {wanted}."
