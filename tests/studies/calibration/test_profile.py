"""A profile put into somebody's configuration, and nothing else of it touched."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trigreason.configuration import planned_pair, read_configuration
from trigreason.reasoning import Direction, Thresholds
from trigreason.reasoning.switch_cues import SWITCH_CUES
from trigreason.studies.calibration.profile import KEYS, profile_toml, with_profile
from trigreason.studies.calibration.profile_file import write_profile

CHOSEN = Thresholds(n=3, tau=1.02, rho=0.913, direction=Direction.UNDER, k=1, m=2)
EVIDENCE = ["trigreason calibrate, 2026-01-02", "accuracy 91.4 % (84.1–98.8)"]
ENGINES = '[engines.small]\nurl = "http://localhost:1/v1"\n[engines.large]\nfile = "l.gguf"\n'

FILES = {
    "no thresholds": ENGINES + '[pairs.qwen]  # mine\nsrm = "small"\nlrm = "large"\n',
    "no line at the end": ENGINES + '[pairs.qwen]\nsrm = "small"\nlrm = "large"',
    "another table follows": ENGINES
    + '[pairs.qwen]\nsrm = "small"\nlrm = "large"\n\n# the gateway\n[gateway]\nport = 1\n',
    "inline": ENGINES
    + "[pairs.qwen]\nthresholds = { n = 20, rho = 0.75 }   # what fits\n"
    + 'srm = "small"\nlrm="large"\n',
    "inline with others": ENGINES
    + '[pairs.qwen]\nsrm = "small"\nlrm = "large"\n'
    + 'thresholds = { accept = 5, expressions = [\'wait}\', "hm # \\""], k = 3 } # }\n',
    "inline, empty": ENGINES + '[pairs.qwen]\nsrm = "small"\nlrm = "large"\nthresholds={}\n',
    "dotted": ENGINES
    + '[pairs.qwen]\nthresholds.n = 20 # old\nsrm = "small"\n'
    + 'thresholds . accept = 3\nlrm = "large"\n',
    "table": ENGINES
    + '[pairs.qwen]\nsrm = "small"\nlrm = "large"\n\n[pairs.qwen.thresholds]\n'
    + "# about n\nn = 20\n\naccept = 5   # kept\nrho=0.5\n"
    + "[pairs.qwen.budget]\nsteps = 3\n",
    "table before its pair": "[pairs.qwen.thresholds]\nn = 2\n"
    + ENGINES
    + '[pairs.qwen]\nsrm = "small"\nlrm = "large"\n',
    "quoted name": ENGINES + '["pairs"."qwen"]\nsrm = "small"\nlrm = "large"\n',
    "windows": (ENGINES + '[pairs.qwen]\nsrm = "small"\nlrm = "large"\n').replace("\n", "\r\n"),
    "two pairs": ENGINES
    + '[pairs.other]\nsrm = "small"\nlrm = "large"\nthresholds = { n = 7 }\n'
    + '[pairs.qwen]\nsrm = "small"\nlrm = "large"\n[pairs.third]\nsrm="small"\nlrm="small"\n',
}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_the_chosen_keys_change_and_no_other(text: str) -> None:
    edited = with_profile(text, "qwen", CHOSEN, EVIDENCE)
    old, new = tomllib.loads(text), tomllib.loads(edited)
    thresholds = new["pairs"]["qwen"].pop("thresholds")
    before = old["pairs"]["qwen"].pop("thresholds", {})
    assert new == old
    assert thresholds == before | {key: CHOSEN.to_json()[key] for key in KEYS}
    assert Thresholds.from_json(thresholds).tau == CHOSEN.tau


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_what_is_not_a_threshold_stays_byte_for_byte(text: str) -> None:
    """Every line that is neither a chosen key nor ours is there, in its order."""
    edited = with_profile(text, "qwen", CHOSEN, EVIDENCE)
    ours = [line for line in edited.splitlines() if line.startswith("#: ")]
    assert [line.removeprefix("#: ") for line in ours] == EVIDENCE
    left = iter(edited.split("\n"))
    for line in text.split("\n"):
        if not any(word in line for word in ("thresholds", "n = 20", "n = 2", "rho")):
            assert line in left, f"{line!r} is gone or moved"


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_a_second_calibration_replaces_the_first(text: str) -> None:
    first = with_profile(text, "qwen", Thresholds(n=9), ["old evidence", "and more"])
    assert with_profile(first, "qwen", CHOSEN, EVIDENCE) == with_profile(
        text, "qwen", CHOSEN, EVIDENCE
    )


def test_how_it_looks() -> None:
    edited = with_profile(FILES["inline"], "qwen", CHOSEN, EVIDENCE)
    assert edited.removeprefix(ENGINES) == (
        "[pairs.qwen]\n"
        "#: trigreason calibrate, 2026-01-02\n"
        "#: accuracy 91.4 % (84.1–98.8)\n"
        'thresholds = { n = 3, tau = 1.02, rho = 0.913, direction = "under", k = 1, m = 2 }'
        "   # what fits\n"
        'srm = "small"\nlrm="large"\n'
    )


@pytest.mark.parametrize(
    "text",
    [
        ENGINES + '[pairs]\nqwen = { srm = "small", lrm = "large" }\n',
        ENGINES + '[pairs]\nqwen.srm = "small"\nqwen.lrm = "large"\n',
        ENGINES + '[pairs.qwen]\nsrm = "small"\nlrm = "large"\n"thresholds" = { n = 1 }\n',
        ENGINES
        + '[pairs.qwen]\nsrm = "small"\nlrm = "large"\n'
        + 'thresholds = { expressions = [\n  "wait",\n] }\n',
        ENGINES + '[pairs.other]\nsrm = "small"\nlrm = "large"\n',
        'note = """\n[pairs.qwen]\n"""\n[pairs]\nqwen = { srm = "a", lrm = "b" }\n',
    ],
)
def test_what_cannot_be_changed_safely_is_refused_with_the_values(text: str) -> None:
    with pytest.raises(ValueError, match=r"write them yourself: n = 3, tau = 1\.02, rho"):
        with_profile(text, "qwen", CHOSEN, EVIDENCE)


STANDARD = {"entropy": 1.0, "cues": SWITCH_CUES}
THRESHOLDS = st.builds(
    Thresholds,
    n=st.integers(0, 100),
    tau=st.floats(1, 50),
    rho=st.floats(0, 1),
    direction=st.sampled_from(Direction),
    k=st.integers(1, 9),
    m=st.integers(0, 9),
    entropy=st.sampled_from([1.0, 0.25]),
    cues=st.sampled_from([SWITCH_CUES, ("so", 'in "other" words')]),
)


@given(
    text=st.sampled_from(list(FILES.values())),
    thresholds=THRESHOLDS,
    evidence=st.lists(st.text(), max_size=3),
)
def test_any_thresholds_and_any_evidence_can_be_read_back(
    text: str, thresholds: Thresholds, evidence: list[str]
) -> None:
    others = [name for name in ("entropy", "cues") if getattr(thresholds, name) != STANDARD[name]]
    keys = [*KEYS, *others]
    expected = {key: thresholds.to_json()[key] for key in keys}
    values = tomllib.loads(with_profile(text, "qwen", thresholds, evidence))
    found = values["pairs"]["qwen"]["thresholds"]
    assert {key: found[key] for key in keys} == expected
    assert tomllib.loads(profile_toml(thresholds, evidence))["thresholds"] == expected


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_a_threshold_that_is_the_default_again_is_taken_out(text: str, tmp_path: Path) -> None:
    file = tmp_path / "trigreason.toml"
    file.write_text(text)
    for share in (0.55, Thresholds().share):
        write_profile(file, "qwen", Thresholds(share=share), [])
        pair = tomllib.loads(file.read_text())["pairs"]["qwen"]
        assert pair["thresholds"].get("share") == (share if share == 0.55 else None)


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_the_configuration_gives_what_was_written(text: str, tmp_path: Path) -> None:
    file = tmp_path / "trigreason.toml"
    file.write_bytes(text.encode())
    diff = write_profile(file, "qwen", CHOSEN, EVIDENCE)
    read = planned_pair(read_configuration(file, {}), "qwen").settings.thresholds
    assert all(getattr(read, key) == getattr(CHOSEN, key) for key in KEYS)
    assert "+#: accuracy 91.4 %" in diff
    assert [each.name for each in tmp_path.iterdir()] == ["trigreason.toml"]


def test_a_refusal_leaves_the_file_alone(tmp_path: Path) -> None:
    file = tmp_path / "trigreason.toml"
    file.write_text(FILES["table"].replace("lrm", "lrn"), encoding="utf-8")
    before = file.read_bytes()
    with pytest.raises(ValueError, match=r"trigreason\.toml: pairs\.qwen\.lrm: is missing"):
        write_profile(file, "qwen", CHOSEN, EVIDENCE)
    assert file.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["trigreason.toml"]
