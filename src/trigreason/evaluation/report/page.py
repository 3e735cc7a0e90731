"""Writes one self-contained HTML file: text, tables, figures and runs of all comparisons.

Names, questions and what models wrote are untrusted text. The template escapes all of it; only the
figures, whose text Matplotlib escapes, are inserted as they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

import trigreason
from trigreason.evaluation.figures.inline import inline_svg
from trigreason.evaluation.figures.style import save
from trigreason.evaluation.report.collect import Collected, Comparison, Log
from trigreason.evaluation.report.conclusion import conclusion
from trigreason.evaluation.report.drawing import Drawn, draw
from trigreason.evaluation.report.examples import Example, read_examples
from trigreason.evaluation.report.stories import ReadableRun, cut, printable, reading
from trigreason.evaluation.report.tables import Table, compared, overview, questions, settings
from trigreason.reasoning import Author

TEMPLATE = Path(__file__).with_name("page.html")


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure within the page, and the files that also hold it."""

    title: str
    told: str
    svg: Markup
    files: Sequence[str]


@dataclass(frozen=True, slots=True)
class QuestionStory:
    """One question with each arm's run, by the arm's name."""

    sample: str
    why: str
    question: str
    target: str
    runs: Sequence[tuple[str, str, ReadableRun]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Everything about one comparison."""

    anchor: str
    task: str
    pair: str
    conclusion: str
    told: Sequence[str]
    overview: Table
    compared: Table | None
    questions: Table | None
    settings: Table
    figures: Sequence[Figure]
    stories: Sequence[QuestionStory]
    logs: Sequence[Log]


def write_report(collected: Collected, page: Path, examples: int) -> list[Path]:
    """Write the page, and its figures as PNG and SVG into a folder beside it; return all paths.

    ``examples`` is how many questions of each comparison are shown with complete runs.

    Raises:
        OSError: a file cannot be written.
    """
    folder = page.with_name(f"{page.stem}-figures")
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    sections: list[Section] = []
    for comparison in collected.comparisons:
        anchor = _anchor(comparison, [section.anchor for section in sections])
        figures = []
        for drawn in draw(comparison):
            files = save(drawn.figure, folder / f"{anchor}-{drawn.name}")
            written += files
            figures.append(_figure(drawn, anchor, files))
        sections.append(_section(comparison, anchor, figures, examples))
    text = _template().render(
        sections=sections,
        left_out=[printable(line) for line in collected.left_out],
        version=trigreason.__version__,
        now=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
    )
    page.write_text(text, encoding="utf-8")
    return [page, *written]


def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8"))


def _figure(drawn: Drawn, anchor: str, files: Sequence[Path]) -> Figure:
    """The figure with links to its files, relative to the page."""
    written = next(file for file in files if file.suffix == ".svg").read_text(encoding="utf-8")
    svg = inline_svg(written, f"{anchor}-{drawn.name}", drawn.title)
    links = [f"{file.parent.name}/{file.name}" for file in files]
    return Figure(drawn.title, drawn.told, Markup(svg), links)


def _section(
    comparison: Comparison, anchor: str, figures: Sequence[Figure], examples: int
) -> Section:
    return Section(
        anchor=anchor,
        task=printable(comparison.task),
        pair=printable(comparison.pair),
        conclusion=printable(conclusion(comparison)),
        told=_facts(comparison),
        overview=overview(comparison),
        compared=compared(comparison),
        questions=questions(comparison),
        settings=settings(comparison),
        figures=figures,
        stories=[_story(comparison, example) for example in read_examples(comparison, examples)],
        logs=[log for arm in comparison.names for log in comparison.arms[arm].logs],
    )


def _facts(comparison: Comparison) -> list[str]:
    """Which models, probabilities and settings it has, one per line."""
    models = comparison.models
    facts = [f"{author.upper()}: {models[author]}" for author in Author if author in models]
    facts.append(f"certainty of tokens on {comparison.logprob_scale} probabilities")
    facts += [f"{name}: {value}" for name, value in comparison.settings.items()]
    return [printable(fact) for fact in facts]


def _story(comparison: Comparison, example: Example) -> QuestionStory:
    names = comparison.names
    any_run = next(iter(example.runs.values()))
    return QuestionStory(
        sample=printable(example.sample),
        why=example.why,
        question=printable(cut(any_run.question)),
        target=printable(any_run.target or ""),
        runs=[
            (names[arm], arm.method, reading(example.runs[arm]))
            for arm in names
            if arm in example.runs
        ],
    )


def _anchor(comparison: Comparison, taken: Sequence[str]) -> str:
    """A name for files and links, of plain letters and digits, that is not ``taken``."""
    plain = re.sub(r"[^a-z0-9]+", "-", f"{comparison.task}-{comparison.pair}".lower()).strip("-")
    anchor, count = plain or "comparison", 1
    while anchor in taken:
        count += 1
        anchor = f"{plain or 'comparison'}-{count}"
    return anchor
