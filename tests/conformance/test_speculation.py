"""What speculative decoding does to probabilities, on each server that has it.

llama.cpp then gives none that are true. A run refuses such an SRM, and the doctor says it first.
vLLM's are true.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest

from tests.conformance.figures import Figures
from tests.conformance.served import VLLM, RealServer, Served, said
from tests.servers import ROOT, VLLM_FLAGS, VLLM_VARIABLE, running, vllm
from trigreason.bundled import CONTEXT_TOKENS, problems
from trigreason.engines.base import NoLogprobs, Prefix, Request, Sampling
from trigreason.engines.probing import Examination, Report, ServerPages, State, Topic, verdict
from trigreason.reasoner import completed, reason
from trigreason.reasoning import Author, Message

QUESTION = problems()[0].question
PREFIX = Prefix((Message("user", QUESTION),))
ACCEPTED = "llamacpp:spec_decode_num_accepted_tokens_total"
NGRAMS = (
    '{"method": "ngram", "num_speculative_tokens": 4, '
    '"prompt_lookup_max": 4, "prompt_lookup_min": 1}'
)


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


@pytest.fixture(scope="module")
def speculating_vllm() -> Iterator[Served]:
    """The LRM on vLLM, which guesses what comes next from what came before."""
    script = os.environ.get(VLLM_VARIABLE)
    if not script:
        pytest.skip(f"{VLLM_VARIABLE} names no script that serves a model on vLLM")
    flags = (*VLLM_FLAGS, "--speculative-config", NGRAMS)
    model = ROOT / "models" / "lrm"
    lrm = vllm(Path(script), model, slots=4, context_tokens=CONTEXT_TOKENS, flags=flags)
    with running([lrm]):
        yield Served(lrm.root, VLLM)


@pytest.mark.parametrize("temperature", [0.0, 0.6])
async def test_vllm_tells_the_truth(
    speculating_vllm: Served, figures: Figures, temperature: float
) -> None:
    """What it says of the tokens that it writes it says of them as a prompt, too."""
    sampling = Sampling(temperature=temperature)
    told: list[float] = []
    true: list[float] = []
    async with speculating_vllm.engine(return_token_ids=True) as engine:
        for problem in problems()[::28]:
            prefix = Prefix((Message("user", problem.question),))
            body = engine.request_body(Request(prefix, sampling, 100, 1))
            [written] = (await speculating_vllm.completed(engine, body))["choices"]
            told += written["logprobs"]["token_logprobs"]
            ids = written["prompt_token_ids"] + written["token_ids"]
            body = {"prompt": ids, "max_tokens": 1, "prompt_logprobs": 1}
            [read] = (await speculating_vllm.completed(engine, body))["choices"]
            each = list(zip(ids, read["prompt_logprobs"], strict=True))
            own = each[-len(written["token_ids"]) :]
            true += [likely[str(token)]["logprob"] for token, likely in own]
    assert told == pytest.approx(true, abs=1e-3)
    assert await speculating_vllm.metric("vllm:spec_decode_num_accepted_tokens_total") > 20
    what = f"mean logprob of {len(told)} tokens, temperature {temperature:g}"
    figures.add(what, "vLLM, speculating", f"{fmean(told):.3f} nats")
