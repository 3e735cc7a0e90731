"""What holds of every simulated run."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.studies.simulation.recordings import recordings
from trigreason.hiding import Hiding
from trigreason.reasoning import Prices, Purpose, Trace
from trigreason.studies.simulation import Deployment, Server, simulate

pytestmark = pytest.mark.slow

often = settings(max_examples=60, deadline=None)

SECONDS = st.floats(0, 2)
RATES = st.one_of(st.none(), st.floats(5, 200))
PAID = Prices(input=0.5, cached_input=0.5, output=2)
SERVERS = st.builds(
    Server,
    round_trip=SECONDS,
    first_token=SECONDS,
    token_rate=RATES,
    prefill_rate=RATES,
    cache=st.booleans(),
    cache_unit=st.sampled_from([1, 16, 64]),
    bills_closed_streams=st.booleans(),
)
DEPLOYMENTS = st.builds(
    Deployment,
    srm=SERVERS,
    lrm=SERVERS,
    request_per_step=st.booleans(),
    hiding=st.sampled_from([Hiding(), Hiding(hedge=True, hedge_tokens=2)]),
)
WARMING = st.sampled_from([Hiding(warm_tokens=3), Hiding(warm_seconds=0.5, hedge=True)])


@often
@given(recordings(), DEPLOYMENTS, SECONDS, st.sampled_from(["srm", "lrm"]))
def test_a_longer_way_never_makes_a_run_faster(
    trace: Trace, deployment: Deployment, more: float, name: str
) -> None:
    server = getattr(deployment, name)
    farther = replace(server, round_trip=server.round_trip + more)
    slower = simulate(trace, replace(deployment, **{name: farther}))
    assert slower.seconds >= simulate(trace, deployment).seconds - 1e-9


@often
@given(recordings(), st.booleans(), WARMING)
def test_without_delays_and_limits_a_run_takes_no_time(
    trace: Trace, per_step: bool, hiding: Hiding
) -> None:
    simulated = simulate(trace, Deployment(request_per_step=per_step, hiding=hiding))
    assert simulated.seconds == simulated.waiting_seconds == 0


@often
@given(recordings(), DEPLOYMENTS)
def test_stretches_never_need_more_requests(trace: Trace, deployment: Deployment) -> None:
    per_step = simulate(trace, replace(deployment, request_per_step=True))
    stretches = simulate(trace, replace(deployment, request_per_step=False))
    assert len(stretches.requests) <= len(per_step.requests)


@often
@given(recordings(), DEPLOYMENTS, WARMING)
def test_with_one_price_for_all_input_the_cache_costs_and_saves_nothing(
    trace: Trace, deployment: Deployment, hiding: Hiding
) -> None:
    def usd(cache: bool) -> float:
        servers = {
            name: replace(getattr(deployment, name), cache=cache, prefill_rate=None, prices=PAID)
            for name in ("srm", "lrm")
        }
        return simulate(trace, replace(deployment, hiding=hiding, **servers)).total_usd

    assert usd(cache=True) == pytest.approx(usd(cache=False))


@often
@given(recordings(), DEPLOYMENTS, WARMING)
def test_every_request_is_whole(trace: Trace, deployment: Deployment, hiding: Hiding) -> None:
    simulated = simulate(trace, replace(deployment, hiding=hiding))
    assert simulated.waiting_seconds <= simulated.seconds + 1e-9
    for each in simulated.requests:
        assert each.prompt_tokens is not None
        assert each.generated_tokens is not None
        assert each.cached_tokens is not None
        assert 0 <= each.cached_tokens < each.prompt_tokens
        assert 0 <= each.unused_tokens <= each.completion_tokens <= each.generated_tokens
        assert 0 <= each.began_seconds <= each.began_seconds + each.seconds <= simulated.seconds + 1
    used = sum(
        each.completion_tokens - each.unused_tokens
        for each in simulated.requests
        if each.purpose in (Purpose.WRITE, Purpose.ANSWER)
    )
    assert used == sum(each.tokens for each in trace.steps) + trace.answer_tokens
