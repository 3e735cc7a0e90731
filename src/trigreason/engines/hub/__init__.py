"""Downloads models by name, ``hf:ORG/REPO[@REVISION][:QUANT or FILE]``, from the Hugging Face hub.

path = await fetched(HubName.parse("hf:Qwen/Qwen3-0.6B-GGUF:Q8_0"))

Requests go through ``huggingface_hub``, with its cache, token, ``HF_ENDPOINT`` and offline mode. It
is imported only when a name is looked up.
"""

from trigreason.engines.hub.errors import HubError, HubUnreachable
from trigreason.engines.hub.fetching import Hub, fetched
from trigreason.engines.hub.names import HubName, is_hub_name
from trigreason.engines.hub.progress import DownloadWatch, Fetching, LoggedWatch, size_in_words

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
