"""Repetition: what goes round in circles, in any language, and what only looks like it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trigreason.reasoning import (
    Author,
    Features,
    Reader,
    Reading,
    RepetitionGuard,
    Step,
    StepEnd,
    Thresholds,
    Token,
    low_perplexity_ratio,
    repeated_run,
)
from trigreason.reasoning.repetition import RUN_LENGTH, RUN_UNITS, TAIL

LOOPS = {
    "English": "Wait, let me check the third number again. ",
    "Chinese": "等等\N{FULLWIDTH COMMA}让我再检查一遍第三个数字。",
    "Chinese and formula": "所以我们得到 x = 3\N{FULLWIDTH COMMA}但这不对。\n",
    "Japanese": "もう一度三番目の数を確認します。",
    "Korean": "잠깐, 세 번째 숫자를 다시 확인해 봅시다. ",
    "Russian": "Подождите, проверим третье число ещё раз. ",
    "Arabic": "انتظر، دعني أتحقق من الرقم الثالث مرة أخرى. ",
    "Hindi": "रुको, मैं तीसरी संख्या फिर से जाँचता हूँ। ",
    "Thai": "เดี๋ยวก่อน ขอตรวจสอบตัวเลขที่สามอีกครั้ง ",
    "LaTeX": "\\frac{a}{b} + \\frac{c}{d} = \\frac{ad + bc}{bd} \\\\\n",
    "code": "    total = total + values[index]\n",
    "a paragraph": "Let me recount the letters one by one, from the left to the right, to be "
    "sure. There are four of them, and so the answer would be four. But is that right? ",
}


@pytest.mark.parametrize("unit", LOOPS.values(), ids=LOOPS.keys())
@pytest.mark.parametrize("before", ["", "First things first.\n", "x" * 999], ids=len)
def test_a_loop_is_seen_by_its_fourth_round(unit: str, before: str) -> None:
    looping = before + unit * 4
    assert repeated_run(looping) is not None
    assert repeated_run(looping + unit[: len(unit) // 2]) is not None
    assert repeated_run(before + unit * 3) is None
    assert repeated_run(looping + "But no: the answer is 42, as we saw above.") is None


def test_the_unit_is_the_shortest() -> None:
    assert repeated_run("so" * 60) == "so"


@pytest.mark.parametrize(("letters", "length"), [(12, 120), (11, 121)])
def test_how_long_a_run_is_at_least(letters: int, length: int) -> None:
    unit = "abcdefghijkl"[:letters]
    assert repeated_run(unit * (length // letters)) == unit
    assert repeated_run(unit * (length // letters - 1)) is None


@pytest.mark.parametrize(
    ("unit", "rounds"),
    [("A B ", 30), ("的", 40), ("好的。", 14), ("but ", 30), ("Dave F ", 18), ("no\n", 40)],
)
def test_a_short_unit_needs_more_rounds(unit: str, rounds: int) -> None:
    assert repeated_run(unit * rounds) is not None
    assert repeated_run(unit * (rounds // 2)) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        " " * 1000,
        "\n" * 1000,
        "-" * 400,
        "=" * 200 + "\n" + "=" * 200,
        "| --- | --- | --- | --- | --- |\n" * 9,
        "|:---:|" * 80,
        "1" + "0" * 600,
        "1/3 = 0." + "3" * 300,
        "1/7 = 0." + "142857" * 60,
        "[0, 0, 0, 0]\n" * 40,
        "0x00, " * 90,
        "X X X X X X\n" * 30,
        "( [ { " * 50,
        "(" * 300,
        "1. 2. 3. 4. 5. 6. 7. 8. 9. 10. 11. 12.",
        "1. One\n2. Two\n3. Three\n4. Four\n5. Five\n6. Six\n",
        "".join(f"Step {number}: add {number} to the sum.\n" for number in range(40)),
        "".join(f"| {a} | {b} | {a and b} |\n" for a in "TF" for b in "TF"),
        "".join(f"{n} mod 7 = {n % 7}\n" for n in range(60)),
        "if a:\n" + " " * 4 + "if b:\n" + " " * 400 + "return c\n",
        "ha ha ha ha ha, that is a good one! ha ha ha",
        "very, very, very, very, very large",
        "[False, False, False, False, False, False, False, False]",
        "\\begin{pmatrix} a & 0 & 0 \\\\ 0 & a & 0 \\\\ 0 & 0 & a \\end{pmatrix}",
        "row, row, row your boat, gently down the stream; merrily, merrily, merrily, merrily",
        "A True, B True, C True, D True, E True, F True, G True, H True, I True, J True",
        "left, right, left, right, left, right, left, right",
        "哈哈哈哈哈哈哈哈哈哈",
        "我们需要检查。我们需要检查。我们需要检查。",
    ],
)
def test_what_only_looks_like_a_loop(text: str) -> None:
    assert repeated_run(text) is None


def run_by_definition(text: str) -> bool:
    """Any unit, any period; slow."""
    tail = text[-TAIL:].rstrip()
    for period in range(1, len(tail)):
        unit = tail[-period:]
        length = sum(3 if "\u2e80" <= each <= "\u9fff" else 1 for each in unit)
        units = max(RUN_UNITS, -(-RUN_LENGTH // length))
        words = {each for each in unit if each.isalpha()}
        told = len(words) > 1 or any("\u2e80" <= each <= "\u9fff" for each in words)
        if told and tail.endswith(unit.lstrip() + unit * (units - 1)):
            return True
    return False


UNITS = st.text(st.sampled_from("ab 1-\n数。"), min_size=1, max_size=45)


@settings(deadline=None)
@given(st.text(max_size=20), UNITS, st.integers(1, 12), UNITS, st.integers(1, 60))
def test_the_search_finds_what_the_definition_says(
    before: str, outer: str, times: int, inner: str, rounds: int
) -> None:
    text = before + (outer + inner * (rounds // times)) * times + inner * rounds
    assert (repeated_run(text) is not None) == run_by_definition(text)


@settings(deadline=None)
@given(st.text(max_size=50), st.sampled_from(sorted(LOOPS)), st.integers(0, 8), st.integers(0, 99))
def test_what_is_found_is_a_unit_of_the_end(before: str, name: str, rounds: int, more: int) -> None:
    text = before + LOOPS[name] * rounds + LOOPS[name][:more]
    unit = repeated_run(text)
    assert unit is None or text.rstrip().endswith(unit * (RUN_UNITS - 1))
    assert unit == repeated_run("x" * 99 + text[-TAIL:]) or len(text) < TAIL


def step(text: str, end: StepEnd = StepEnd.BLANK_LINE, author: Author = Author.SRM) -> Step:
    return Step(text, (), end, author)


def kept(*steps: Step) -> list[Reading]:
    """The readings of steps that all stand."""
    reader = Reader(Thresholds())
    readings = []
    for each in steps:
        readings.append(reader.read(Features(each)))
        reader.keep(readings[-1])
    return readings


A = "So the first number must be three.\n\n"
B = "Wait, the first number may be four.\n\n"
C = "Then the second one would be seven.\n\n"
D = "But the sum would be eleven and not ten.\n\n"
E = "Let us go back to where we came from.\n\n"


@pytest.mark.parametrize(
    ("texts", "repeating"),
    [
        ([A, B, C, A], "...."),
        ([A, A, A], ".xx"),
        ([A, B, A, B, A, B, C], "....xx."),
        ([A, B, C] * 3, "......xxx"),
        ([A, B, C, D] * 3, "........xxxx"),
        ([A, B, C, D, E] * 3, "." * 15),
        ([A, A.upper(), "  " + A.replace(" ", "\n "), A.rstrip()], ".xxx"),
        (["ﬁrst things must always come ﬁrst", "first things must always come first"], ".x"),
        ([A, "\n\n", A], "..x"),
        (["So:\n\n"] * 4, "...."),
        (["So x = 3 + 4.\n\n"] * 4, "...."),
        (["所以第一个数必须是三。\n\n"] * 3, ".xx"),
        (["所以\N{FULLWIDTH COLON}\n\n"] * 3, "..."),
        (["Итак, первое число — три.\n\n"] * 3, ".xx"),
        (["إذن العدد الأول هو ثلاثة.\n\n"] * 3, ".xx"),
        (["$$\\frac{a}{b} = \\frac{c}{d}$$\n\n"] * 3, ".xx"),
        (["```\nfor x in values:\n    print(x)\n```\n\n"] * 3, ".xx"),
        ([A, A.replace("three", "four"), A.replace("three", "five")], "..."),
        ([A + B * 4, C, D + B * 4], "x.x"),
        ([LOOPS["English"] * 4 + "\n\n"], "x"),
        (["0" * 512, "0" * 512, "0" * 512], ".xx"),
    ],
)
def test_a_step_that_repeats(texts: list[str], repeating: str) -> None:
    assert "".join("x" if each.repeats else "." for each in kept(*map(step, texts))) == repeating


@pytest.mark.parametrize(("length", "repeats"), [(19, False), (20, True)])
def test_how_much_a_step_says_at_least(length: int, repeats: bool) -> None:
    said = step("s" * length)
    assert kept(said, said)[-1].repeats is repeats


@pytest.mark.parametrize(("others", "repeats"), [(6, True), (7, False)])
def test_how_far_back_it_looks(others: int, repeats: bool) -> None:
    between = (f"Step number {index} says something." for index in range(others - 1))
    assert kept(*map(step, [A, B, A, *between, A]))[-1].repeats is repeats


def test_whoever_wrote_it() -> None:
    authors = (Author.SRM, Author.LRM, Author.SRM)
    readings = kept(*(step(A, author=each) for each in authors))
    assert [each.repeats for each in readings] == [False, True, True]


@pytest.mark.parametrize("end", StepEnd)
def test_by_how_a_step_ended(end: StepEnd) -> None:
    done = end in (StepEnd.END_OF_THINKING, StepEnd.END_OF_STREAM)
    assert kept(step(A), step(A, end))[-1].repeats is not done
    assert kept(step(A), step(B, end))[-1].repeats is (end is StepEnd.REPETITION)


def test_counting_until_something_new_is_said() -> None:
    readings = kept(*map(step, [A, A, A, "\n", A, B, A, A, C]))
    assert [each.repeated for each in readings] == [0, 1, 2, 0, 3, 0, 1, 2, 0]


def test_a_reader_starts_again() -> None:
    reader = Reader(Thresholds())
    said = Features(step(C))
    for expected in (False, True):
        assert reader.read(said).repeats is expected
        reader.keep(reader.read(said))
    reader.restart()
    assert not reader.read(said).repeats


def test_reading_changes_nothing_and_a_draft_is_forgotten() -> None:
    reader = Reader(Thresholds())
    first, again = Features(step(A)), Features(step(A))
    assert [reader.read(each).repeats for each in (first, again, again)] == [False] * 3
    reader.keep(reader.read(first))
    assert [reader.read(again).repeated for _ in range(2)] == [1, 1]


def test_nothing_repeats_where_nobody_looks() -> None:
    reader = Reader(Thresholds(repeats=0))
    circling = Features(step(A, StepEnd.REPETITION))
    reader.keep(reader.read(circling))
    reading = reader.read(circling)
    assert (reading.repeats, reading.repeated) == (False, 0)


def test_what_a_reading_shows() -> None:
    tokens = tuple(Token("", each) for each in (0.0, -1.0, None))
    features = Features(Step("Hm, hm.\n\n", tokens))
    read = Reader(Thresholds(expressions=("hm",))).read(features)
    assert read == Reading(Author.SRM, False, 0.5, ("hm",), False, 0, "", features)


@given(
    st.lists(st.one_of(st.none(), st.floats(-5, 0))),
    st.lists(st.floats(1, 3), min_size=1, max_size=3),
)
def test_the_ratio_is_that_of_eq_4(logprobs: list[float | None], taus: list[float]) -> None:
    features = Features(Step("So.", tuple(Token("", each) for each in logprobs)))
    for tau in [*taus, taus[0]]:
        assert features.ratio(tau) == low_perplexity_ratio(logprobs, tau)


def test_hesitation_is_looked_for_anew_with_other_words() -> None:
    features = Features(Step("Hm, wait.", ()))
    assert [features.hesitations(words) for words in (("hm",), ("wait",), (), ("hm",))] == [
        ("hm",),
        ("wait",),
        (),
        ("hm",),
    ]


@given(
    st.lists(
        st.tuples(st.sampled_from([1.0, 1.5]), st.sampled_from([("hm",), ("wait",)]), st.booleans())
    )
)
def test_a_reading_is_that_of_its_thresholds(
    asked: list[tuple[float, tuple[str, ...], bool]],
) -> None:
    features = Features(Step("Hm, wait.", (Token("Hm, wait.", -0.1),)))
    for tau, expressions, between in asked:
        if between:
            features.hesitations(("wait",))
        reading = features.reading(tau, expressions)
        assert (reading.ratio, reading.hesitations) == (float(tau == 1.5), expressions)


@pytest.mark.parametrize(("repeats", "fires"), [(0, []), (1, [1, 2, 3, 4]), (3, [3, 4])])
def test_the_guard(repeats: int, fires: list[int]) -> None:
    guard = RepetitionGuard(repeats)
    assert [count for count in range(5) if guard.fires(count)] == fires
    assert guard.is_off is not bool(repeats)
