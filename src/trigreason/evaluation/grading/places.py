r"""Where an answer text says its answer: in a box, in a statement, or in its last line."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from trigreason.answers import Box, boxes
from trigreason.evaluation.grading.plain import plain

Reader = Callable[[str], str | None]
"""Makes an answer of one kind of a text; None where the text is none."""

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
"""By which a writer takes back what was stated; a bare "no" may be about something else."""
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
    """A place that says the answer in words.

    Attributes:
        said: what it says to be the answer, or the rest of the line from there.
        at: where it begins.
        names: whether it is a form that only a label or a number fits, as "... is correct".
        corrects: whether it takes the statement before it back; it then may say nothing else.
    """

    said: str
    at: int
    names: bool = False
    corrects: bool = False

    @property
    def affirmed(self) -> str:
        """What it is about, whether it says so or denies it."""
        return _DENIAL.sub("", self.said, count=1)

    def read(self, reader: Reader) -> str | None:
        """What ``reader`` makes of it; None where it denies that."""
        return None if _DENIAL.match(self.said) else reader(self.said)


@dataclass(frozen=True, slots=True)
class AnswerPlaces:
    """The places of a text that may say the answer.

    Attributes:
        boxes: the boxes in order, without those that are only spoken of or denied.
        statements: the statements in order.
        lines: the lines that are not empty, without the marks of a heading.
    """

    boxes: tuple[Box, ...]
    statements: tuple[Statement, ...]
    lines: tuple[str, ...]

    @property
    def box(self) -> Box | None:
        """The last box with something in it; None without one."""
        return next((box for box in reversed(self.boxes) if not _is_empty(box)), None)

    @property
    def says_nothing(self) -> bool:
        """Whether there is no box with something in it, and nothing is stated to be the answer."""
        return self.box is None and all(each.names or each.corrects for each in self.statements)

    def last_box(self) -> AnswerPlaces:
        """The last box with something in it and those behind it, and nothing else.

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
        """What ``reader`` makes of the place that counts; None where it makes nothing of it.

        That is the last box with something in it; where its content is of another kind, the last
        statement behind it. Without a box it is the last statement, else the last line.

        Args:
            reader: makes an answer of a text.
            in_box: makes one of a box, where that takes more than its content.
            in_statement: makes one of a statement, where the answer may be its beginning.
            mentions: whether a statement counts though it cannot be read.
            names: whether forms that only a label or a number fits are statements, too.
            in_correction: makes an answer of what is put in the place of a statement, as in "no
                wait, 26"; without it no statement is taken back.
        """
        of_statement = in_statement or reader

        def takes_back(each: Statement) -> bool:
            return in_correction is not None and (
                not each.said or in_correction(each.said) is not None
            )

        stated: list[Statement] = []
        for each in self.statements:
            if each.corrects:
                counts = bool(stated) and takes_back(each)
            elif each.names:
                counts = names and of_statement(each.affirmed) is not None
            else:
                counts = mentions(each.said) or of_statement(each.affirmed) is not None
            stated += [each] if counts else []
        for box in reversed(self.boxes):
            found = _read_box(box, reader, in_box)
            if found is not None:
                return found
            if not _is_empty(box):
                behind = [each for each in stated if each.at >= box.end]
                return behind[-1].read(of_statement) if behind else None
        if stated:
            return stated[-1].read(of_statement)
        if not self.lines or boxes(self.lines[-1]):
            return None
        last = self.lines[-1]
        corrected = [last, *(each.said for each in _corrections(last, 0) if takes_back(each))]
        return reader(corrected[-1]) if reader(last) is not None else None


def _read_box(
    box: Box, reader: Reader, in_box: Callable[[Box], str | None] | None = None
) -> str | None:
    """What stands in a box, by the reader that is meant for it."""
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
    plainly = sorted((*marked, *said, *named), key=lambda each: each.at)
    corrected = _corrections(text, plainly[0].at) if plainly else []
    lines = (line.strip().lstrip("#").strip() for line in text.splitlines())
    return AnswerPlaces(
        boxes=tuple(box for box in boxes(text) if not _is_mention(box, text)),
        statements=tuple(sorted((*plainly, *corrected), key=lambda each: each.at)),
        lines=tuple(line for line in lines if line),
    )


def _corrections(text: str, start: int) -> list[Statement]:
    """The places behind ``start`` that take a statement back, with what they say instead."""
    found = []
    for match in _TAKEN_BACK.finditer(text, start):
        instead = _INSTEAD.match(text, match.end())
        if instead or (match["sure"] and match["denied"]):
            said = instead["said"] if instead else ""
            found.append(Statement(said, match.start(), corrects=True))
    return found


def _is_mention(box: Box, text: str) -> bool:
    before = text[max(0, box.start - 60) : box.start]
    return bool(_MENTION_BEFORE.search(before) or _DENIED_BEHIND.match(text, box.end))


def _is_empty(box: Box) -> bool:
    return box.inner is not None and plain(box.inner).casefold() in _PLACEHOLDERS


def _sentence_before(text: str, end: int) -> str:
    sentence = _SENTENCE.search(text, max(0, end - 200), end)
    return sentence[0] if sentence else ""
