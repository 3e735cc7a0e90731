"""Recorded runs as one file: what is in it, and what its policy lets run."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html import unescape
from typing import Any

import pytest

from tests.reasoning.simulation import Draw, drive
from trigreason.page import decisions_by, every_methods_decisions, run_page
from trigreason.page.export import inlined
from trigreason.reasoning import (
    Message,
    Thresholds,
    Trace,
    methods,
    replay,
    trace_from_json,
    trace_to_json,
)

EARLY = Thresholds(n=1, rho=0.8)
SURE = Draw("So x = 3.\n\n", (0.0, 0.0, 0.0, 0.0), 3)
PLAIN = Draw("So x = 3.\n\n", (0.0, -1.0), 8)
WAIT = Draw("Wait.\n\n", (0.0, -1.0), 8)
NASTY = "</script><script>alert(1)</script><!-- & \u2028 \x00 “é” 👍"


def recorded(question: str = "Why?") -> Trace:
    trace = drive("trigreason", EARLY, [PLAIN, PLAIN, SURE, PLAIN, WAIT, WAIT, PLAIN, PLAIN])
    return replace(trace, messages=(Message("user", question),))


def parts(page: str) -> tuple[str, str, str, dict[str, Any]]:
    """The policy, the script, the style and the data of a page."""
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    script = re.search(r'<script type="module">(.*?)</script>', page, re.DOTALL)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert policy
    assert script
    assert style
    assert data
    return unescape(policy[1]), script[1], style[1], json.loads(data[1])


def hash_of(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def test_the_policy_lets_this_script_and_this_style_apply_and_no_other() -> None:
    policy, script, style, _ = parts(run_page([recorded()]))
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == hash_of(script)
    assert rules["style-src"] == hash_of(style)
    assert "connect-src" not in rules


@pytest.mark.parametrize("question", ["Why?", NASTY])
def test_the_runs_are_in_it_whatever_they_say(question: str) -> None:
    trace = recorded(question)
    page = run_page([trace, trace])
    _, _, _, data = parts(page)
    assert [trace_from_json(run["trace"]) for run in data["runs"]] == [trace, trace]
    assert page.count("<script") == page.count("</script>") == 2
    title = re.search("<title>(.*?)</title>", page)
    assert title
    assert unescape(title[1]).startswith(" ".join(question.split())[:60])


def test_it_is_a_few_hundred_kilobytes() -> None:
    assert len(run_page([recorded()]).encode()) < 350_000


def test_every_method_that_can_decides_in_advance() -> None:
    trace = recorded()
    told = every_methods_decisions(trace)
    assert set(told) == set(methods()) - {"learned"}, "which needs a risk model"
    for name, decided in told.items():
        again = replay(replace(trace, method=name), trace.thresholds)
        assert decided["decisions"] == [each.to_json() for each in again]
        assert decided["title"] == methods()[name].title


def test_a_methods_decisions_are_those_that_were_recorded() -> None:
    trace = recorded()
    (opening, *after) = decisions_by(trace, "trigreason", EARLY)["decisions"]
    assert (opening["step"], opening["author"]) == (-1, "lrm")
    for decided, following in zip(after, trace.steps[1:], strict=False):
        assert decided["author"] == following.author
    assert [each["decision"] == "rewrite" for each in after] == [
        not step.standing for step in trace.steps
    ]
    off = decisions_by(trace, "trigreason", replace(EARLY, rho=1))["decisions"]
    assert not any(each["decision"] == "rewrite" for each in off)
    with pytest.raises(ValueError, match="no method"):
        decisions_by(trace, "nobody", EARLY)


def test_the_modules_stand_in_one_script_each_once() -> None:
    script = inlined("recorded.js")
    assert not re.search(r"^(?:import|export) ", script, re.MULTILINE)
    names = re.findall(r"^const (module_\w+) = \(\(\) => \{$", script, re.MULTILINE)
    assert len(names) == len(set(names)) > 10
    assert names[-1] == "module_recorded"
    for index, name in enumerate(names):
        before = script[: script.index(f"const {name} = (() => {{")]
        used = re.findall(r"= (module_\w+);", script[len(before) :].partition("\n})();")[0])
        assert set(used) <= set(names[:index]), "a module stands behind those it uses"


def test_a_trace_in_json_is_what_the_page_reads() -> None:
    values = json.loads(json.dumps(trace_to_json(recorded())))
    assert values["schema"] == 2, "run.js reads this schema"
    assert all(len(step["lengths"]) in (0, len(step["logprobs"])) for step in values["steps"])
