"""Deployments from TOML."""

from __future__ import annotations

from pathlib import Path

import pytest

from trigreason.hiding import Hiding
from trigreason.reasoning import Prices
from trigreason.studies.simulation import DEPLOYMENTS, Deployment, Server, read_deployment

FILE = """
description = "at home"
request_per_step = true
warm_tokens = 64
hedge = true

[srm]
token_rate = 50

[lrm]
round_trip = 0.05
prefill_rate = 1000.0
cache = false
bills_closed_streams = true
closing = 0.2
prices = { input = 1, output = 2.5 }
"""


def test_a_file_says_all_that_a_deployment_has(tmp_path: Path) -> None:
    file = tmp_path / "home.toml"
    file.write_text(FILE)
    assert read_deployment(str(file)) == Deployment(
        description="at home",
        request_per_step=True,
        hiding=Hiding(warm_tokens=64, hedge=True),
        srm=Server(token_rate=50),
        lrm=Server(
            round_trip=0.05,
            prefill_rate=1000,
            cache=False,
            bills_closed_streams=True,
            closing=0.2,
            prices=Prices(input=1, output=2.5),
        ),
    )


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_those_that_come_along_can_be_read_and_say_what_they_are(name: str) -> None:
    deployment = read_deployment(name)
    assert deployment.description
    assert deployment.srm.token_rate
    assert deployment.lrm.token_rate


def test_the_edge_cloud_deployment_has_deepseeks_prices() -> None:
    cloud = read_deployment("edge-cloud-deepseek").lrm
    assert cloud.prices == Prices(input=0.56, cached_input=0.07, output=1.68)
    assert cloud.cache_unit == 64


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("speed = 3", "there is no 'speed'"),
        ("lrm = 3", r"\[lrm\] must be a table"),
        ("[lrm]\nlatency = 3", r"\[lrm\]: there is no 'latency'; there are round_trip"),
        ("[lrm]\ntoken_rate = 0", "token_rate must be above 0 tokens/s and finite, not 0"),
        ("[lrm]\ntoken_rate = inf", "token_rate must be above 0 tokens/s and finite, not inf"),
        ("[lrm]\ntoken_rate = true", "token_rate must be a number, not True"),
        ("[lrm]\ncache = 1", "cache must be true or false, not 1"),
        ("[lrm]\ncache_unit = 1.5", "cache_unit must be a whole number"),
        ("[lrm]\ncache_unit = 0", "cache_unit must be 1 token or more"),
        ("[srm]\nround_trip = -1", r"\[srm\]: round_trip must be 0 s or more"),
        ("[srm]\nround_trip = nan", "round_trip must be 0 s or more"),
        ("[srm]\nfirst_token = inf", "first_token must be 0 s or more"),
        ("[srm]\nprices = 3", r"\[srm\], prices must be a table"),
        ("[srm]\nprices = { input = 3 }", r"\[srm\], prices: .*output"),
        ("warm_tokens = 0", "warm_tokens must be 1 or more"),
        ("hedge = 1", "hedge must be true or false"),
        ("[srm", "is no TOML"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "odd.toml"
    file.write_text(text)
    with pytest.raises(ValueError, match=told) as raised:
        read_deployment(str(file))
    assert "odd.toml" in str(raised.value)


def test_an_unknown_name_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match="edge-cloud-deepseek, laptop, two-gpus"):
        read_deployment("moon")
