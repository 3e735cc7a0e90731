"""What speculative decoding does to probabilities, on each server that has it.

llama.cpp then gives none that are true. A run refuses such an SRM, and the doctor says it first.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conformance.served import RealServer, Served, said
from trigreason.bundled import problems
from trigreason.engines.base import NoLogprobs, Prefix
from trigreason.engines.probing import Examination, Report, ServerPages, State, Topic, verdict
from trigreason.reasoner import completed, reason
from trigreason.reasoning import Author, Message

QUESTION = problems()[0].question
PREFIX = Prefix((Message("user", QUESTION),))
ACCEPTED = "llamacpp:spec_decode_num_accepted_tokens_total"


async def examined(served: Served) -> Report:
    async with served.engine() as engine, ServerPages(served.root, {}, 5.0) as pages:
        return await Examination(engine, served.root, pages).run()


async def test_a_draft_model_changes_no_greedy_text(
    on_llama_server: RealServer, on_drafting_llama_server: RealServer
) -> None:
    texts = []
    for served in (on_llama_server.lrm, on_drafting_llama_server.lrm):
        async with served.engine() as engine:
            texts.append((await said(engine, PREFIX, 200)).text)
    assert texts[0] == texts[1]
    assert await on_drafting_llama_server.lrm.metric(ACCEPTED) > 50


async def test_the_doctor_names_what_cannot_be(on_drafting_llama_server: RealServer) -> None:
    report = await examined(on_drafting_llama_server.lrm)
    finding = report.finding(Topic.LOGPROBS)
    assert finding is not None
    assert finding.state is State.NO
    assert "tokens have no probability" in finding.evidence
    assert "--model-draft" in (finding.advice or "")
    assert verdict(report, Author.SRM).missing == (Topic.LOGPROBS,)
    assert verdict(report, Author.LRM).state is State.YES


@pytest.mark.parametrize("role", ["srm", "lrm"])
async def test_the_doctor_believes_what_may_be(on_llama_server: RealServer, role: str) -> None:
    report = await examined(getattr(on_llama_server, role))
    assert report.state(Topic.LOGPROBS) is State.YES
    assert verdict(report, Author.SRM).state is State.YES


async def test_a_run_refuses_such_an_srm(on_drafting_llama_server: RealServer) -> None:
    server = on_drafting_llama_server
    async with replace(server, srm=server.lrm).pair() as pair:
        with pytest.raises(NoLogprobs, match="tokens have no probability"):
            await completed(reason(pair, QUESTION))
