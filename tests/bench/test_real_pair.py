"""The benchmark of real models goes on where it was, and adds up what it recorded."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from bench.real_pair import running, timing
from bench.real_pair.calibrating import direction_of, kept
from bench.real_pair.ceiling import Speed, Work, beyond, ceiling, work
from bench.real_pair.exporting import write_traces
from bench.real_pair.packing import packed, unpacked
from bench.real_pair.pair import bundled_stand_in, told_of
from bench.real_pair.questions import DataSet, Drawn, asked, drawn, in_turns
from bench.real_pair.records import SETTINGS, Key, Record, Records, digest, writing
from bench.real_pair.rows import CALIBRATED, LABELS, LRM_ONLY, PAPER, SRM_ONLY
from bench.real_pair.table import coin, lines
from trigreason.evaluation.answering import BUNDLED_BUDGET
from trigreason.evaluation.recorded import read_runs
from trigreason.evaluation.runs import Run
from trigreason.reasoning import (
    Author,
    Direction,
    Message,
    StepEnd,
    StepRecord,
    StopReason,
    Thresholds,
    Trace,
    trace_to_json,
)
from trigreason.reasoning.records import Purpose, Stretch

DATA = DataSet("booleans", "bundled", 6, 3, 1, group="boolean_expressions")
OTHER = DataSet("navigate", "bundled", 4, 6, 2, group="navigate")
SRM, LRM = Author.SRM, Author.LRM


def step(author: Author, tokens: int, stretch: int, *, standing: bool = True) -> StepRecord:
    return StepRecord(
        author,
        f"{tokens} tokens.\n\n",
        tokens,
        StepEnd.BLANK_LINE,
        stretch,
        logprobs=(-0.01234567, None, -3.0, 0.0) if author is SRM else (),
        standing=standing,
    )


def request(author: Author, prompt: int, cached: int, written: int, unused: int = 0) -> Stretch:
    return Stretch(
        author,
        Purpose.WRITE,
        prompt_tokens=prompt,
        cached_tokens=cached,
        completion_tokens=written,
        unused_tokens=unused,
        seconds=1.23456789,
    )


def mixed() -> Trace:
    """The SRM writes 30 tokens and a draft of 8, the LRM 10 in its place, the SRM 20 more."""
    return Trace(
        method="trigreason",
        thresholds=Thresholds(n=0),
        messages=(Message("user", "How many?"),),
        models={SRM: "small", LRM: "large"},
        in_the_open=True,
        steps=[
            step(SRM, 30, 0),
            step(SRM, 8, 0, standing=False),
            step(LRM, 10, 1),
            step(SRM, 20, 2),
        ],
        stretches=[
            request(SRM, 100, 0, 40, unused=2),
            request(LRM, 130, 0, 10),
            request(SRM, 141, 125, 20),
        ],
        answer="20 tokens.",
        stop=StopReason.COMPLETE,
        seconds=4.0,
    )


def test_a_trace_is_packed_small_and_comes_back_with_rounded_numbers() -> None:
    trace = mixed()
    said = trace_to_json(trace)
    back = unpacked(packed(trace), said, "How many?")
    assert back.fingerprint() == trace.fingerprint()
    assert back.steps[0].logprobs == pytest.approx((-0.0123, None, -3.0, 0.0))
    assert [each.seconds for each in back.stretches] == [1.2346] * 3
    rounded = [replace(each, seconds=1.2346) for each in trace.stretches]
    assert back.stretches == rounded
    assert (back.in_the_open, back.stop, back.seconds) == (True, StopReason.COMPLETE, 4.0)
    assert "messages" not in packed(trace)


def test_the_ceiling_counts_what_a_run_needs_and_nothing_twice() -> None:
    done = {author: work(mixed(), author) for author in Author}
    assert done[SRM] == Work(written=58, unused=2, read=111, reread=5, cached=0, requests=2)
    assert done[LRM] == Work(written=10, unused=0, read=130, reread=0, cached=0, requests=1)
    speeds = {SRM: Speed(written=0.05, read=0.02), LRM: Speed(written=0.1, read=0.04)}
    assert ceiling(done, speeds) == pytest.approx(58 * 0.05 + 111 * 0.02 + 10 * 0.1 + 130 * 0.04)
    causes = beyond(done, speeds)
    assert causes["written after a close"] == pytest.approx(2 * 0.05)
    assert causes["read again"] == pytest.approx(5 * 0.02)


def test_what_was_cached_before_a_run_is_no_part_of_its_ceiling() -> None:
    trace = mixed()
    trace.stretches = [request(SRM, 100, 60, 40, unused=2), *trace.stretches[1:]]
    warm = {SRM: work(trace, SRM)}
    assert warm[SRM].read == 111, "as many as from a cold start"
    assert ceiling(warm, {SRM: Speed(written=0, read=1)}) == 51


def test_a_prompt_that_nobody_counted_is_an_error() -> None:
    trace = mixed()
    trace.stretches[0] = replace(trace.stretches[0], cached_tokens=None)
    with pytest.raises(ValueError, match="did not count"):
        work(trace, SRM)


def test_no_question_is_both_calibrated_on_and_evaluated() -> None:
    parts = drawn(DATA, None)
    assert (len(parts.calibration), len(parts.evaluation)) == (6, 3)
    both = [*parts.calibration, *parts.evaluation]
    assert len({each.id for each in both}) == len({each.prompt for each in both}) == 9


def test_more_evaluated_questions_change_none_of_the_others() -> None:
    fewer, more = drawn(DATA, None), drawn(replace(DATA, evaluating=9), None)
    assert more.calibration == fewer.calibration
    assert more.evaluation[:3] == fewer.evaluation
    with pytest.raises(ValueError, match="has 20 questions, and 106 are needed"):
        drawn(replace(DATA, evaluating=100), None)


def test_data_sets_take_turns_in_blocks() -> None:
    order = [each.data.name for each, _ in in_turns([drawn(DATA, None), drawn(OTHER, None)])]
    assert order == ["booleans", "navigate", "navigate"] * 3


SAID: dict[str, object] = {
    "method": "srm",
    "thresholds": Thresholds().to_json(),
    "sampling": {},
    "models": {"srm": "small"},
    "base": {"budget": 1},
}


def record(question: str, *, label: str = SRM_ONLY.label, setting: str, right: bool) -> Record:
    return Record(
        question=question,
        asked="0",
        part="evaluation",
        row=label,
        setting=setting,
        machine="m",
        right=right,
        given=None,
        trace=packed(mixed()),
    )


def test_a_run_is_kept_through_a_kill_and_never_made_twice(tmp_path: Path) -> None:
    with writing(tmp_path) as ledger:
        setting = ledger.tell(SETTINGS, SAID)
        for name in ("1", "2"):
            ledger.add("booleans", record(name, setting=setting, right=True))
    file = tmp_path / "booleans.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole + whole[: len(whole) // 4])
    assert [each.question for each in Records(tmp_path).runs("booleans")] == ["1", "2"]
    with writing(tmp_path) as ledger:
        assert ledger.get("booleans", Key("2", "0", setting)) is not None
        assert ledger.get("booleans", Key("2", "other prompt", setting)) is None
        assert ledger.get("booleans", Key("2", "0", digest(SAID | {"method": "lrm"}))) is None
        ledger.add("booleans", record("3", setting=setting, right=False))
    assert file.read_bytes().startswith(whole)
    assert [each.question for each in Records(tmp_path).runs("booleans")] == ["1", "2", "3"]


def test_two_programs_do_not_write_into_one_folder(tmp_path: Path) -> None:
    with (
        writing(tmp_path),
        pytest.raises(ValueError, match="another run writes into"),
        writing(tmp_path),
    ):
        pass
    with writing(tmp_path):
        pass  # the lock ended with its holder


def test_a_whole_line_that_is_no_run_is_an_error_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "booleans.jsonl").write_text('{"question": "1"}\n')
    with pytest.raises(ValueError, match=r"booleans\.jsonl, line 1"):
        Records(tmp_path).runs("booleans")


def test_a_setting_keeps_its_name_when_the_package_gets_another_threshold() -> None:
    known = {"n": 20, "tau": 1.05}
    defaults = known | {"later": 0}
    assert told_of(known | {"later": 0}, defaults) == known
    assert told_of({"n": 20, "tau": 1.05, "later": 1}, defaults) == known | {"later": 1}
    assert told_of({"n": 1, "tau": 1.05, "later": 0}, defaults) == {"n": 1, "tau": 1.05}


@pytest.mark.parametrize(
    ("certain_when_right", "direction"), [(True, Direction.UNDER), (False, Direction.OVER)]
)
def test_the_outcomes_of_all_data_sets_decide_the_direction(
    certain_when_right: bool, direction: Direction
) -> None:
    """A run has SRM steps of one certain token or of one unsure one."""

    def run(name: str, right: bool) -> Run:
        logprob = 0.0 if right is certain_when_right else -3.0
        trace = replace(mixed(), method="srm", messages=(Message("user", name),))
        trace.steps = [replace(step(SRM, 1, 0), logprobs=(logprob,))]
        return Run(trace=trace, group=name[0], sample=name, right=right)

    runs = {
        data: [run(f"{data}{number}", number % 2 == 0) for number in range(6)]
        for data in ("a", "b")
    }
    found, told = direction_of(runs)
    assert found is direction
    assert told is not None
    assert (told.wrong, told.right) == (6, 6)
    assert direction_of({"a": runs["a"]}) == (Thresholds().direction, None), "too few to tell"


def said(method: str, budget: int = 1) -> dict[str, object]:
    return SAID | {"method": method, "base": {"budget": budget}}


def test_the_table_mixes_no_settings() -> None:
    settings = {"old": said("srm"), "new": said("srm", 2), "lrm": said("lrm", 2)}
    records = [
        record("1", setting="old", right=True),
        record("1", setting="new", right=False),
        record("2", setting="new", right=True),
        record("1", setting="lrm", label=LRM_ONLY.label, right=True),
    ]
    found = lines(records, settings, DATA)
    assert list(found) == [SRM_ONLY.label, LRM_ONLY.label]
    assert found[SRM_ONLY.label].rights() == {"1": [0.0], "2": [1.0]}
    assert found[SRM_ONLY.label].others == 1
    assert found[LRM_ONLY.label].others == 0


def test_runs_of_another_prompt_are_left_out_where_the_questions_are_known() -> None:
    (question, *_) = drawn(DATA, None).evaluation
    settings = {"s": said("srm")}
    other = record(question.id, setting="s", right=True)
    assert lines([other], settings, DATA, [question]) == {}


def test_a_row_is_compared_with_a_coin_at_its_own_smt() -> None:
    """The mixed run has SMT 50 / 60; half of the questions are the SRM's, all are the LRM's."""
    settings = {"srm": said("srm"), "lrm": said("lrm"), "mix": said("trigreason")}
    by_srm, by_lrm = packed(mixed()), packed(mixed())
    by_srm["steps"] = [each for each in by_srm["steps"] if each["author"] == "srm"]
    by_lrm["steps"] = [each for each in by_lrm["steps"] if each["author"] == "lrm"]
    records = []
    for name in ("1", "2"):
        srm = record(name, setting="srm", right=name == "1")
        lrm = record(name, setting="lrm", label=LRM_ONLY.label, right=True)
        records += [
            _with_trace(srm, by_srm),
            _with_trace(lrm, by_lrm),
            record(name, setting="mix", label=CALIBRATED, right=True),
        ]
    tossed = coin(lines(records, settings, DATA))
    assert tossed is not None
    assert tossed.weight == pytest.approx(50 / 60)
    assert tossed.gain.value == pytest.approx(50 / 60 / 2)
    assert coin(lines(records[:2], settings, DATA)) is None


def _with_trace(record: Record, trace: dict[str, object]) -> Record:
    return msgspec.structs.replace(record, trace=trace)


@pytest.mark.slow
async def test_all_rows_are_run_once_and_read_by_the_studies(tmp_path: Path) -> None:
    """The bundled pair stands in for the real one."""
    measured = bundled_stand_in(BUNDLED_BUDGET)
    sets: list[Drawn] = [drawn(replace(DATA, calibrating=8), None), drawn(OTHER, None)]
    said: list[str] = []
    out = tmp_path / "out"
    with writing(out) as ledger:
        await running.pilot(measured, sets[:1], ledger, said.append)
    assert len(said) == 2 * 8 + 1
    right = Counter(each.row for each in Records(out).runs("booleans") if each.right)
    alone = ", ".join(f"{row.label} {right[row.label]}" for row in (SRM_ONLY, LRM_ONLY))
    assert said[-1] == f"booleans, 8 questions, right: {alone}"
    said.clear()
    with writing(out) as ledger:
        await running.run(measured, sets[:1], ledger, said.append)
    assert len(said) == 5 * 3, "the pilot's runs are those of calibration"
    found_before = (out / running.CALIBRATED).read_text()
    with writing(out) as ledger:
        await running.run(measured, sets, ledger, said.append)
    assert len(said) == 4 + 5 * (3 + 6)
    thresholds = kept(out / running.CALIBRATED)
    assert found_before.count('"thresholds"') == 1
    assert set(thresholds) == {"booleans", "navigate"}
    again: list[str] = []
    with writing(out) as ledger:
        await running.run(measured, sets, ledger, again.append)
    assert not again
    records = Records(out)
    found = lines(records.runs("navigate"), records.told(SETTINGS), OTHER, sets[1].evaluation)
    counted = Counter({label: len(line.runs) for label, line in found.items()})
    assert set(counted.values()) == {6}
    assert {SRM_ONLY.label, LRM_ONLY.label, PAPER.label, CALIBRATED} <= set(counted)
    shown = tmp_path / "traces"
    shown.mkdir()
    assert write_traces(records, sets[1], shown) == 4 + 5 * 6
    runs = list(read_runs([shown]))
    assert {run.question for run in runs} == {
        each.prompt for each in (*sets[1].calibration, *sets[1].evaluation)
    }
    assert all(run.right is not None for run in runs)
    known = {(each.question, each.right) for each in records.runs("navigate")}
    assert {(run.sample, run.right) for run in runs} == known
    prompts = {each.id: asked(each) for each in (*sets[1].calibration, *sets[1].evaluation)}
    assert {each.question: each.asked for each in records.runs("navigate")} == prompts


@pytest.mark.slow
async def test_rows_are_timed_beside_their_ceilings(tmp_path: Path) -> None:
    """The bundled pair stands in for the real one; of its seconds nothing is claimed."""
    measured = bundled_stand_in(BUNDLED_BUDGET)
    parts = drawn(DATA, None)
    with writing(tmp_path) as ledger:
        async with running.session(measured, ledger, print) as now:
            await timing.measure(now, parts, Thresholds(n=2), 2, "a machine", 0.1)
    speeds, runs = timing.last_session(tmp_path / timing.FILE)
    assert len(speeds) == 2, "before and after"
    assert Counter(each.row for each in runs) == dict.fromkeys(LABELS, 2)
    for each in runs:
        assert 0 < ceiling(each.work, timing.mean_speeds(speeds)) < 10 * each.seconds
        cached = sum(own.cached for own in each.work.values())
        read = sum(own.read for own in each.work.values())
        assert cached < read, "the models were asked something else in between"
    shown = timing.table(speeds, runs)
    assert shown.row_count == len(LABELS)
    assert list(shown.columns[2].cells)[1] == "1.00", "LRM only, by itself"
    assert "a machine; load 0.10" in next(timing.speeds_in_words(speeds))
