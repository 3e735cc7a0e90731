r"""Finds where a text gives its answer: in a box, in a statement, or in its last line."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from trigreason.answers import Box, boxes
from trigreason.evaluation.grading.plain import plain

Reader = Callable[[str], str | None]
"""Reads a text as an answer of one kind; None if it is no such answer."""

_STATEMENT = re.compile(
    r"""(?:
        (?:\b(?:
            answer(?:\ choice|\ (?:to|for)\ [^.:\n]{1,60}?)?
            | (?:correct|right|best)\ (?:option|choice|letter|statement|sentence|number)
        )\b
        (?:[\s*_]*[:=] | [\s*_]+(?:is|would\ be|must\ be|should\ be)\b(?:[\s*_]*:)?))
        | 答案(?:应该|应)?(?:是|为)?[\s*_]*:?
    )
    [\s*_#]*
    (?=(?P<said>[^\n]{1,1000}))                 # not consumed: it may hold the next statement""",
    re.IGNORECASE | re.VERBOSE,
)
_MARKED = re.compile(
    r"""^\#\#\#\#[ ]*(?P<number>[-+$]*[0-9][0-9,]*(?:\.[0-9]+)?)[ ]*$  # as GSM8K writes its answers
    | <answer>(?P<tagged>(?:(?!<answer>).)*?)</answer>""",
    re.IGNORECASE | re.VERBOSE | re.MULTILINE | re.DOTALL,
)
_NAMED = re.compile(
    r"""\bI(?:'d|'ll|\ would|\ will)?\ (?:pick|choose|select|go\ with)[ ]
      (?P<picked>[^\n.!?]{1,60})(?=[.!\n]|\Z)
    | (?:^|(?<=[.!?:;,*])|\b(?:so|thus|hence|therefore|only))[\s*_"]*
      (?P<named>(?:(?:option|choice|answer|letter)\s+)?[^\s.,;:!?]{1,12})
      \s+is\s+(?:(?:the\s+)?(?:correct|right|best)(?:\s+(?:answer|option|choice|one))?
                 | the\s+(?:final\s+)?answer)
      (?=[*_)"]*(?:\s*$|[.!](?:\s|$)|,?\s+(?:because|since|as)\b))""",
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)
_TAKEN_BACK = re.compile(
    r"""(?<=[\s,.;:?!(\u2013\u2014-])
    (?:(?P<sure>(?:no|oh|but),?\ wait|wait|hmm+|oops|sorry|actually|I\ mean|scratch\ that|correction
         |or\ rather|not\ really)\b
      | no(?=[,:;.]))
    [,.:;!\s\u2013\u2014-]*
    (?P<denied>(?:that|this|it)(?:['\u2019]s|\ is|\ was)\ (?:wrong|incorrect|not\ (?:right|correct))
      \b[,.:;!\s]*)?
    (?:(?:so\ )?(?:it|that|this)(?:['\u2019]s|\ is|\ must\ be|\ should\ be)\ )?""",
    re.IGNORECASE | re.VERBOSE,
)
"""Words that take a statement back; a bare "no" may be about something else."""
_INSTEAD = re.compile(
    r"""[$*_(\\`]*(?:(?:the\ )?(?:option|choice|letter|answer)\ )?[$*_(\\`]*
    (?P<said>-?[$]?[0-9](?:[0-9,.]*[0-9])?(?:\ [A-Za-z]+)? | \w{1,12})[$*_)\\`]*+
    (?=\s*(?:$|[.,;!?<](?!\w))|\ (?:because|since|as)\b)""",
    re.IGNORECASE | re.VERBOSE | re.MULTILINE,
)
_HYPOTHETICAL = re.compile(
    r"\b(?:if|whether|unless|suppose|assum\w+|doubt\w*)\b[^,]*$", re.IGNORECASE
)
_NOT_MEANT = re.compile(
    r"\b(?:if|whether|unless|suppose|assum\w+|doubt\w*|not|neither|both|either|or|and|say|claim|once)"
    r"\b|n['\u2019]t\b",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[^.!?;\n]*\Z")
_DENIAL = re.compile(r"(?:\w+ly )?(?:not|never|neither) ", re.IGNORECASE)

_MENTION_BEFORE = re.compile(
    r"(?:\b(?:for example|such as|like|instead of|not|(?:in|using) the form(?:at)?(?: of)?)|e\.g\.)"
    r"[\s,$(*`\"']*(?:\\[(\[]\s*)?\Z",
    re.IGNORECASE,
)
_DENIED_BEHIND = re.compile(
    r"[\s$*)`]*(?:\\[)\]])?\s*(?:is|was|are|seems|can|could)\s*(?:n['\u2019]t|not|wrong|incorrect)\b",
    re.IGNORECASE,
)
_PLACEHOLDERS = frozenset(("", "...", "\u2026", r"\ldots", r"\cdots", r"\dots"))
_PLACEHOLDERS |= {"answer", "your answer", "final answer", "your final answer", "the answer"}
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: " ", 0x3002: "."}
_SPECIAL_TOKEN = re.compile(r"<\|[^<>|\n]{1,40}\|>|</s>")


@dataclass(frozen=True, slots=True)
class Statement:
    """A place that states the answer in words.

    Attributes:
        said: the stated answer, or the rest of the line from there.
        at: the position in the text at which the statement begins.
        names: whether it has a form that only a label or a number fits, as "... is correct".
        corrects: whether it takes back the statement before it; ``said`` may then be empty.
    """

    said: str
    at: int
    names: bool = False
    corrects: bool = False

    @property
    def affirmed(self) -> str:
        """``said`` without a denial at its beginning."""
        return _DENIAL.sub("", self.said, count=1)

    def read(self, reader: Reader) -> str | None:
        """The answer that ``reader`` reads in it; None if the statement denies it."""
        return None if _DENIAL.match(self.said) else reader(self.said)


@dataclass(frozen=True, slots=True)
class AnswerPlaces:
    """The places of a text that may give the answer.

    Attributes:
        boxes: the boxes in order, without those that are only mentioned or denied.
        statements: the statements in order.
        lines: the lines that are not empty, without the marks of headings.
    """

    boxes: tuple[Box, ...]
    statements: tuple[Statement, ...]
    lines: tuple[str, ...]

    @property
    def box(self) -> Box | None:
        """The last box that is not empty; None without one."""
        return next((box for box in reversed(self.boxes) if not _is_empty(box)), None)

    @property
    def says_nothing(self) -> bool:
        """Whether there is neither a box that is not empty nor a statement of the answer."""
        return self.box is None and all(place.names or place.corrects for place in self.statements)

    def last_box(self) -> AnswerPlaces:
        """Only the last box that is not empty and the boxes after it.

        A box of brackets may look empty: ``\\boxed{}}``.
        """
        start = self.box.start if self.box else 0
        return AnswerPlaces(tuple(box for box in self.boxes if box.start >= start), (), ())

    def read(
        self,
        reader: Reader,
        *,
        in_box: Callable[[Box], str | None] | None = None,
        in_statement: Reader | None = None,
        mentions: Callable[[str], bool] = lambda said: False,
        names: bool = False,
        in_correction: Reader | None = None,
    ) -> str | None:
        """The answer that ``reader`` reads at the place that counts; None if it reads none.

        That place is the last box that is not empty or, if its content is of another kind, the last
        statement after it. Without a box it is the last statement, else the last line.

        Args:
            reader: reads an answer from a text.
            in_box: reads one from a box, if the box's content is not enough.
            in_statement: reads one from a statement, if it may be only the statement's beginning.
            mentions: whether a statement counts even if it cannot be read.
            names: whether statements of a form that only a label or a number fits count, too.
            in_correction: reads an answer from what replaces a statement, as in "no wait, 26";
                without it no statement is taken back.
        """
        read_statement = in_statement or reader

        def takes_back(statement: Statement) -> bool:
            return in_correction is not None and (
                not statement.said or in_correction(statement.said) is not None
            )

        stated: list[Statement] = []
        for statement in self.statements:
            if statement.corrects:
                counts = bool(stated) and takes_back(statement)
            elif statement.names:
                counts = names and read_statement(statement.affirmed) is not None
            else:
                counts = mentions(statement.said) or read_statement(statement.affirmed) is not None
            stated += [statement] if counts else []
        for box in reversed(self.boxes):
            boxed = _read_box(box, reader, in_box)
            if boxed is not None:
                return boxed
            if not _is_empty(box):
                after = [statement for statement in stated if statement.at >= box.end]
                return after[-1].read(read_statement) if after else None
        if stated:
            return stated[-1].read(read_statement)
        if not self.lines or boxes(self.lines[-1]):
            return None
        last = self.lines[-1]
        corrections = filter(takes_back, _corrections(last, 0))
        corrected = [last, *(correction.said for correction in corrections)]
        return reader(corrected[-1]) if reader(last) is not None else None


def _read_box(
    box: Box, reader: Reader, in_box: Callable[[Box], str | None] | None = None
) -> str | None:
    """The answer in a box, read by ``in_box`` if that is given."""
    if in_box is not None:
        return in_box(box)
    return None if box.inner is None else reader(box.inner)


def answer_in(text: str) -> AnswerPlaces:
    """The places of a text. Full-width letters, digits and signs are read as the usual ones."""
    text = _SPECIAL_TOKEN.sub("", text.translate(_FULL_WIDTH))
    marked = [
        Statement(match["number"] or match["tagged"].strip(), match.start())
        for match in _MARKED.finditer(text)
    ]
    text = re.sub("(?i)</?answer>", lambda tag: "\n" + " " * (len(tag[0]) - 1), text)
    said = [
        Statement(match["said"], match.start())
        for match in _STATEMENT.finditer(text)
        if not _HYPOTHETICAL.search(_sentence_before(text, match.start()))
    ]
    named = [
        Statement(match["picked"] or match["named"], match.start(), names=True)
        for match in _NAMED.finditer(text)
        if not _NOT_MEANT.search(_sentence_before(text, match.start()))
    ]
    plainly = sorted((*marked, *said, *named), key=lambda statement: statement.at)
    corrected = _corrections(text, plainly[0].at) if plainly else []
    lines = (line.strip().lstrip("#").strip() for line in text.splitlines())
    return AnswerPlaces(
        boxes=tuple(box for box in boxes(text) if not _is_mention(box, text)),
        statements=tuple(sorted((*plainly, *corrected), key=lambda statement: statement.at)),
        lines=tuple(line for line in lines if line),
    )


def _corrections(text: str, start: int) -> list[Statement]:
    """The places after ``start`` that take a statement back, with what they say instead."""
    corrections = []
    for match in _TAKEN_BACK.finditer(text, start):
        instead = _INSTEAD.match(text, match.end())
        if instead or (match["sure"] and match["denied"]):
            said = instead["said"] if instead else ""
            corrections.append(Statement(said, match.start(), corrects=True))
    return corrections


def _is_mention(box: Box, text: str) -> bool:
    before = text[max(0, box.start - 60) : box.start]
    return bool(_MENTION_BEFORE.search(before) or _DENIED_BEHIND.match(text, box.end))


def _is_empty(box: Box) -> bool:
    return box.inner is not None and plain(box.inner).casefold() in _PLACEHOLDERS


def _sentence_before(text: str, end: int) -> str:
    sentence = _SENTENCE.search(text, max(0, end - 200), end)
    return sentence[0] if sentence else ""
