"""What is said of models while they are loaded."""

from __future__ import annotations

from trigreason.bundled import SRM_FILE
from trigreason.cli.model_loading import loaded_files
from trigreason.configuration import PairSettings, PlannedPair, engine_at
from trigreason.reasoning import Author


def test_files_have_sizes_and_names_on_the_hub_have_none() -> None:
    models = {Author.SRM: str(SRM_FILE), Author.LRM: "hf:ORG/REPO:Q8_0"}
    engines = {author: engine_at(model, f"--{author}") for author, model in models.items()}
    pair = PlannedPair("pair", PairSettings(srm="s", lrm="l"), engines)
    told = loaded_files(pair, frozenset(Author))
    assert told == "srm.gguf (0.00 GB) and REPO:Q8_0"
