"""Chooses the model that a name means among a repository's files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from trigreason.engines.hub.errors import HubError
from trigreason.engines.hub.names import HubName

PREFERRED = (
    "Q4_K_M", "UD-Q4_K_XL", "Q4_K_S", "Q5_K_M", "Q5_K_S", "Q4_K_L", "Q6_K", "Q8_0",
    "IQ4_NL", "IQ4_XS", "Q4_1", "Q4_0", "Q5_1", "Q5_0", "BF16", "F16",
    "Q3_K_L", "Q3_K_M", "Q3_K_S",
)  # fmt: skip
"""The order in which a quantization is chosen if the name has none: first small ones that lose
little, then larger ones, then those that lose much."""

SHOWN = 12
"""The most names that an error lists."""

_PART = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE)
_QUANT = re.compile(
    r"(?:^|[-._])((?:UD-)?(?:I?Q[1-8](?:_[A-Z0-9]+)*|TQ[12]_0|MXFP4(?:_MOE)?|NVFP4|BF16|FP?16|FP?32))"
    r"(?=[-.]|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository; ``size`` is in bytes."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class GgufModel:
    """A model in GGUF format: one file, or all its parts in order."""

    files: tuple[HubFile, ...]
    quant: str | None

    @property
    def name(self) -> str:
        """The first file's name, by which llama.cpp finds the others."""
        return self.files[0].path.rpartition("/")[2]

    @property
    def size(self) -> int:
        return sum(file.size for file in self.files)


def models_in(files: Iterable[HubFile]) -> list[GgufModel]:
    """The models among a repository's files.

    Image projectors (mmproj), quantization data (imatrix) and incomplete split models are left
    out.
    """
    whole: list[GgufModel] = []
    split: dict[tuple[str, int], dict[int, HubFile]] = {}
    for file in sorted(files, key=lambda file: file.path):
        base = file.path.rpartition("/")[2].lower()
        quant = quant_of(file.path)
        if not base.endswith(".gguf") or "mmproj" in base or ("imatrix" in base and not quant):
            continue
        if part := _PART.fullmatch(file.path):
            of_model = split.setdefault((part["stem"], int(part["count"])), {})
            of_model[int(part["number"])] = file
        else:
            whole.append(GgufModel((file,), quant))
    for (stem, count), parts in split.items():
        if set(parts) == set(range(1, count + 1)):
            ordered = tuple(parts[number] for number in range(1, count + 1))
            whole.append(GgufModel(ordered, quant_of(f"{stem}.gguf")))
    return whole


def quant_of(path: str) -> str | None:
    """The quantization in a file's name, in capitals; the last one if there are several."""
    base = path.rpartition("/")[2]
    part = _PART.fullmatch(base)
    stem = part["stem"] if part else re.sub(r"\.gguf$", "", base, flags=re.IGNORECASE)
    quants = _QUANT.findall(stem)
    return _plain(quants[-1]) if quants else None


def _plain(quant: str) -> str:
    """A quantization in capitals, with FP16 as F16."""
    return re.sub(r"^FP", "F", quant.upper())


def chosen(models: Sequence[GgufModel], name: HubName, where: str) -> GgufModel:
    """The model that a name means; ``where`` is the place for error messages.

    Raises:
        HubError: there is no model, no such model, or several matches, which the error lists.
    """
    variant = name.variant
    if variant is None:
        ranked = sorted(models, key=_rank)
        matches = [model for model in ranked if _rank(model)[0] == _rank(ranked[0])[0]]
        if ranked and _rank(ranked[0])[0] == len(PREFERRED):
            matches = ranked[:1]
    elif variant.lower().endswith(".gguf"):
        matches = [model for model in models if _is_file(model, variant)]
    else:
        matches = [model for model in models if _same(model.quant, variant)] or [
            model for model in models if _same(model.quant, f"UD-{variant}")
        ]
    if len(matches) == 1:
        return matches[0]
    if matches:
        which = _listed(model.name for model in matches)
        raise HubError(f"{where} has several matching models", str(name), f"Name one of: {which}.")
    if not models:
        raise HubError(
            f"{where} has no GGUF model", str(name), "Name a repository with GGUF files."
        )
    if variant is not None and not variant.lower().endswith(".gguf"):
        listed = _listed(model.quant or model.name for model in models)
        raise HubError(f"{where} has no {variant}", str(name), f"There is {listed}.")
    listed = _listed(model.name for model in models)
    raise HubError(f"{where} has no file {variant}", str(name), f"There is {listed}.")


def _rank(model: GgufModel) -> tuple[int, int]:
    preferred = model.quant in PREFERRED
    return PREFERRED.index(str(model.quant)) if preferred else len(PREFERRED), model.size


def _is_file(model: GgufModel, variant: str) -> bool:
    lower = variant.lower()
    return any(
        lower in (file.path.lower(), file.path.rpartition("/")[2].lower()) for file in model.files
    )


def _same(quant: str | None, variant: str) -> bool:
    return quant is not None and quant == _plain(variant)


def _listed(names: Iterable[str]) -> str:
    unique = list(dict.fromkeys(names))
    more = f" and {len(unique) - SHOWN} more" if len(unique) > SHOWN else ""
    return ", ".join(unique[:SHOWN]) + more
