"""``trigreason.toml``: engines and pairs, read from a file and the environment.

configuration = read_configuration(None, os.environ)
async with opened_pair(planned_pair(configuration, "qwen"), os.environ) as pair:
    ...
"""

from trigreason.configuration.effective import effective_values
from trigreason.configuration.layers import FILE, Layers, usual_files
from trigreason.configuration.opening import opened_pair, with_thinking
from trigreason.configuration.paper_setting import as_in_the_paper, paper_thresholds
from trigreason.configuration.planning import (
    PlannedEngine,
    PlannedPair,
    PlannedScorer,
    bundled_pair,
    engine_at,
    planned_engine,
    planned_pair,
    scorer_at,
)
from trigreason.configuration.presets import Preset, PresetModel, presets
from trigreason.configuration.problems import ConfigurationError, ConfigurationProblem, nearest
from trigreason.configuration.reading import Configuration, read_configuration, validate
from trigreason.configuration.schema import BUNDLED, EngineSettings, PairSettings

__all__ = [
    "BUNDLED",
    "FILE",
    "Configuration",
    "ConfigurationError",
    "ConfigurationProblem",
    "EngineSettings",
    "Layers",
    "PairSettings",
    "PlannedEngine",
    "PlannedPair",
    "PlannedScorer",
    "Preset",
    "PresetModel",
    "as_in_the_paper",
    "bundled_pair",
    "effective_values",
    "engine_at",
    "nearest",
    "opened_pair",
    "paper_thresholds",
    "planned_engine",
    "planned_pair",
    "presets",
    "read_configuration",
    "scorer_at",
    "usual_files",
    "validate",
    "with_thinking",
]
