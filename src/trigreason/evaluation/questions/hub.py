"""Published data from the Hugging Face hub."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from trigreason.evaluation.questions.rows import SourceRow
from trigreason.evaluation.questions.tasks import PublishedTask


def hub_rows(task: PublishedTask, part: str | None = None) -> Iterator[SourceRow]:
    """The rows of a task's data set, or of one of its parts, downloaded unless they are cached.

    Raises:
        ValueError: the hub cannot be reached or refuses the data; the message says what to do.
    """
    # slow to import, and not needed to read files
    from datasets import load_dataset  # type: ignore[import-untyped]  # it ships no types
    from huggingface_hub.errors import HfHubHTTPError

    # it logs each of its attempts; the error below sums them up in one line
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)

    config = part or task.config
    try:
        # "default" is what the hub calls the configuration of a data set that names none
        table = load_dataset(task.hub, config, split=task.split)
    except (OSError, ValueError, RuntimeError, HfHubHTTPError) as error:
        raise ValueError(_explained(task, error)) from error
    for number, values in enumerate(table):
        yield SourceRow(values, f"{task.hub} ({config}, {task.split}), row {number}")


def _explained(task: PublishedTask, error: Exception) -> str:
    local = f"name a file or folder with {task.name}'s data instead (--data)"
    reason = str(error).strip().partition("\n")[0]
    if isinstance(error, ConnectionError):
        return f"the Hugging Face hub cannot be reached for {task.hub} ({reason}); {local}"
    if task.gated and "gated" in str(error):
        return (
            f"{task.hub} is gated: accept its terms at https://huggingface.co/datasets/{task.hub} "
            f"and set HF_TOKEN to a token of that account, or {local}"
        )
    return f"{task.hub} cannot be loaded from the Hugging Face hub: {reason}; {local}"
