"""The tokenizer configuration that vLLM's server gives out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trigreason.engines.server_pages import ask_page


async def ask_tokenizer(
    url: str, headers: Mapping[str, str] | None, seconds: float
) -> dict[str, Any]:
    """The tokenizer's configuration, in the form of a model folder's ``tokenizer_config.json``.

    Empty unless the server at ``url`` (up to ``/v1``) was started with
    ``--enable-tokenizer-info-endpoint``.
    """
    return await ask_page(url, "/tokenizer_info", dict[str, Any], headers, seconds) or {}
