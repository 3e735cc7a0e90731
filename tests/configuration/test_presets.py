"""Presets: what the file says holds together, and a pair of the user's goes before one."""

from __future__ import annotations

from pathlib import Path

import pytest

from trigreason.configuration import (
    ConfigurationError,
    opened_pair,
    planned_pair,
    presets,
    read_configuration,
)
from trigreason.engines.base import EngineUnreachable
from trigreason.engines.hub import HubName, is_hub_name
from trigreason.reasoning import Author

PAPER = {
    "r1-qwq": ("deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B", "Qwen/QwQ-32B", 0.85),
    "r1-qwen3": (
        "deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B",
        "Qwen/Qwen3-30B-A3B-Thinking-2507",
        0.85,
    ),
    "qwen3-qwq": ("Qwen/Qwen3-0.6B", "Qwen/QwQ-32B", 0.75),
    "qwen3-qwen3": ("Qwen/Qwen3-0.6B", "Qwen/Qwen3-30B-A3B-Thinking-2507", 0.75),
}


@pytest.mark.parametrize("name", presets())
def test_a_preset_is_a_whole_pair(name: str) -> None:
    plan = planned_pair(read_configuration(None, {}), name)
    assert plan.name == name
    preset = presets()[name]
    for author, model in ((Author.SRM, preset.srm), (Author.LRM, preset.lrm)):
        settings = plan.engines[author].settings
        if settings.file is not None:
            assert is_hub_name(settings.file)
            assert HubName.parse(settings.file).variant, "what is fetched is said"
        elif model.serve is not None:
            command = model.serve.split()
            assert command[:3] == ["vllm", "serve", settings.model]
            assert settings.url == f"http://localhost:{command[command.index('--port') + 1]}/v1"
            context = command[command.index("--max-model-len") + 1]
            assert settings.context_tokens == int(context)
        if model.memory is not None:
            assert model.weights is not None
            assert model.memory > model.weights


@pytest.mark.parametrize("name", PAPER)
def test_the_papers_pairs_are_as_in_the_paper(name: str) -> None:
    plan = planned_pair(read_configuration(None, {}), name)
    models = tuple(plan.engines[author].settings.model for author in (Author.SRM, Author.LRM))
    thresholds = plan.settings.thresholds
    assert (*models, thresholds.rho) == PAPER[name]
    assert (thresholds.n, thresholds.tau, thresholds.m) == (20, 1.05, 1)
    assert presets()[name].evidence == "paper"
    others = set(presets()) - set(PAPER)
    assert all(presets()[other].evidence != "paper" for other in others)


def test_a_pair_of_the_configuration_goes_before_a_preset(tmp_path: Path) -> None:
    file = tmp_path / "trigreason.toml"
    file.write_text(
        'default_pair = "laptop"\n[engines.a]\nurl = "http://a/v1"\n'
        '[pairs.laptop]\nsrm = "a"\nlrm = "a"\n',
        encoding="utf-8",
    )
    plan = planned_pair(read_configuration(file, {}), "laptop")
    assert plan.engines[Author.LRM].settings.url == "http://a/v1"


def test_a_preset_may_be_the_default_and_be_served(tmp_path: Path) -> None:
    file = tmp_path / "trigreason.toml"
    file.write_text(
        'default_pair = "laptop"\n[gateway]\npairs = ["laptop", "r1-qwq"]\n', encoding="utf-8"
    )
    configuration = read_configuration(file, {})
    assert configuration.pair_names[:2] == ["bundled", "laptop"]
    file.write_text('default_pair = "labtop"\n', encoding="utf-8")
    with pytest.raises(ConfigurationError, match="did you mean laptop"):
        read_configuration(file, {})


async def test_a_server_that_is_not_there_is_told_how_to_start(tmp_path: Path) -> None:
    plan = planned_pair(read_configuration(None, {}), "r1-qwq")
    with pytest.raises(EngineUnreachable) as caught:
        async with opened_pair(plan, {}, frozenset({Author.SRM})):
            pass
    assert "localhost:8003" in str(caught.value)
    assert "Start it: vllm serve deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B" in str(caught.value)


def test_a_key_that_is_missing_is_a_problem_of_the_preset() -> None:
    plan = planned_pair(read_configuration(None, {}), "edge-cloud")
    with pytest.raises(ConfigurationError, match=r"preset edge-cloud: api_key_env: .* is not set"):
        plan.engines[Author.LRM].api_key({})
