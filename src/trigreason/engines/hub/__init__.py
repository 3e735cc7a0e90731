"""Models by name: ``hf:ORG/REPO[@REVISION][:QUANT or FILE]``, fetched from the Hugging Face hub.

path = await fetched(HubName.parse("hf:Qwen/Qwen3-0.6B-GGUF:Q8_0"))

The hub is asked through ``huggingface_hub``, whose cache, token, ``HF_ENDPOINT`` and offline mode
are kept. It is imported only where a name is really looked up.
"""

from trigreason.engines.hub.errors import HubError, HubUnreachable
from trigreason.engines.hub.fetching import Hub, fetched
from trigreason.engines.hub.names import HubName, is_hub_name
from trigreason.engines.hub.watching import DownloadWatch, Fetching, LoggedWatch, size_in_words

__all__ = [
    "DownloadWatch",
    "Fetching",
    "Hub",
    "HubError",
    "HubName",
    "HubUnreachable",
    "LoggedWatch",
    "fetched",
    "is_hub_name",
    "size_in_words",
]
