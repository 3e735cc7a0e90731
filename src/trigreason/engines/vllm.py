"""What only vLLM's server says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trigreason.engines.server_pages import ask_page


async def ask_tokenizer(
    url: str, headers: Mapping[str, str] | None, seconds: float
) -> dict[str, Any]:
    """The tokenizer's configuration, as a model folder's ``tokenizer_config.json`` has it.

    Empty where the server at ``url`` (up to ``/v1``) keeps it to itself, as it does unless it is
    started with ``--enable-tokenizer-info-endpoint``.
    """
    return await ask_page(url, "/tokenizer_info", dict[str, Any], headers, seconds) or {}
