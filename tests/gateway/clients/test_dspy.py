"""DSPy: signatures whose fields come back as JSON, or between DSPy's own marks."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.clients.conftest import OPENAI_2_MISSING
from tests.gateway.clients.test_function_tools import MODEL, QUESTION
from tests.gateway.test_tools import asked
from tests.scripted_server import Body, Reply, say

pytestmark = pytest.mark.slow
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")  # or its import asks the internet
dspy: Any = pytest.importorskip("dspy", reason=OPENAI_2_MISSING)

SIGNATURE = "question -> city: str, degrees: int"
FIELDS = {"reasoning": "So.", "city": "Paris", "degrees": 21}
BOUND = "The answer as JSON that fits the schema "


def model(body: Body) -> Reply:
    """A model that fills the fields which the prompt names, in the form that it names."""
    fields = {name: value for name, value in FIELDS.items() if name in body["prompt"]}
    if BOUND in body["prompt"]:
        return say(json.dumps(fields))
    marked = "".join(f"[[ ## {name} ## ]]\n{value}\n\n" for name, value in fields.items())
    is_json = "a JSON object" in body["prompt"]
    return say(f"I think.\n\n</think>\n\n{json.dumps(fields) if is_json else marked}")


@contextmanager
def declared(url: str) -> Iterator[str]:
    """A provider of which DSPy is told that it takes schemas; its name."""
    lm15 = dspy.lm15
    access = lm15.AccessPolicy(provider="gateway", base_url=url)
    lm15.register_provider(
        lm15.ProviderDefinition.chat(access, compat=lm15.OpenAIChatCompat()),
        supports=lm15.ModelSupport(response_schema=True),
    )
    try:
        yield "gateway"
    finally:
        lm15.unregister_provider("gateway")


async def filled(lm: Any, adapter: str, module: str) -> dict[str, Any]:
    with dspy.context(lm=lm, adapter=getattr(dspy, adapter)()):
        told = await getattr(dspy, module)(SIGNATURE).acall(question=QUESTION)
    return dict(told)


@pytest.mark.parametrize(
    ("adapter", "engine", "schema"),
    [
        ("ChatAdapter", "auto", None),
        ("JSONAdapter", "auto", None),
        ("JSONAdapter", "litellm", '{"type":"object"}'),
    ],
)
@pytest.mark.parametrize(
    ("module", "fields"),
    [("Predict", {"city": "Paris", "degrees": 21}), ("ChainOfThought", FIELDS)],
)
async def test_the_fields_of_a_signature_are_filled(
    tmp_path: Path, adapter: str, engine: str, schema: str | None, module: str, fields: Any
) -> None:
    async with asked(tmp_path, model) as (client, server):
        server_of_lm = {"api_base": f"{client.url}/v1", "api_key": "none", "engine": engine}
        lm = dspy.LM(f"openai/{MODEL}", cache=False, num_retries=0, **server_of_lm)
        assert await filled(lm, adapter, module) == fields
    assert [BOUND + (schema or "") in prompt for prompt in server.prompts] == (
        [False, True] if schema else [False]
    )


@pytest.mark.parametrize(
    ("module", "fields"),
    [("Predict", {"city": "Paris", "degrees": 21}), ("ChainOfThought", FIELDS)],
)
async def test_a_provider_that_takes_schemas(tmp_path: Path, module: str, fields: Any) -> None:
    async with asked(tmp_path, model) as (client, server):
        with declared(f"{client.url}/v1") as provider:
            lm = dspy.LM(f"{provider}/{MODEL}", api_key="none", cache=False, num_retries=0)
            assert await filled(lm, "JSONAdapter", module) == fields
    schema = server.prompts[1].rpartition(BOUND)[2].partition("}:")[0] + "}"
    assert json.loads(schema)["required"] == list(fields)
