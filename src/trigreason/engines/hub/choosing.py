"""Which of a repository's files is the model that is meant."""

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
"""Quantizations in the order in which one is taken where none is named: first those that lose
little and are small, then larger ones, then those that lose much."""

SHOWN = 12
"""So many names are listed in an error."""

_PART = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE)
_QUANT = re.compile(
    r"(?:^|[-._])((?:UD-)?(?:I?Q[1-8](?:_[A-Z0-9]+)*|TQ[12]_0|MXFP4(?:_MOE)?|NVFP4|BF16|FP?16|FP?32))"
    r"(?=[-.]|$)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository by its path there; ``size`` in bytes."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class GgufModel:
    """A model in GGUF format: one file, or all parts of it in their order."""

    files: tuple[HubFile, ...]
    quant: str | None

    @property
    def name(self) -> str:
        """The first file's name; llama.cpp finds the others by it."""
        return self.files[0].path.rpartition("/")[2]

    @property
    def size(self) -> int:
        return sum(each.size for each in self.files)


def models_in(files: Iterable[HubFile]) -> list[GgufModel]:
    """The models among a repository's files.

    Projectors for images (mmproj) and data for quantizing (imatrix) are none; nor is a split
    model of which a part is missing.
    """
    whole: list[GgufModel] = []
    split: dict[tuple[str, int], dict[int, HubFile]] = {}
    for file in sorted(files, key=lambda each: each.path):
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
    """The quantization that a file's name tells, in capitals; the last where there are several."""
    base = path.rpartition("/")[2]
    part = _PART.fullmatch(base)
    stem = part["stem"] if part else re.sub(r"\.gguf$", "", base, flags=re.IGNORECASE)
    found = _QUANT.findall(stem)
    return _plain(found[-1]) if found else None


def _plain(quant: str) -> str:
    """In capitals; FP16 is F16."""
    return re.sub(r"^FP", "F", quant.upper())


def chosen(models: Sequence[GgufModel], name: HubName, where: str) -> GgufModel:
    """The model that a name means; ``where`` the models are, as an error puts it.

    Raises:
        HubError: there is none, no such one, or several that could be meant; it lists them.
    """
    wanted = name.wanted
    if wanted is None:
        ranked = sorted(models, key=_rank)
        found = [each for each in ranked if _rank(each)[0] == _rank(ranked[0])[0]]
        if ranked and _rank(ranked[0])[0] == len(PREFERRED):
            found = ranked[:1]
    elif wanted.lower().endswith(".gguf"):
        found = [each for each in models if _is_file(each, wanted)]
    else:
        found = [each for each in models if _same(each.quant, wanted)] or [
            each for each in models if _same(each.quant, f"UD-{wanted}")
        ]
    if len(found) == 1:
        return found[0]
    if found:
        which = _listed(each.name for each in found)
        raise HubError(f"{where} has several such models", str(name), f"Name one of: {which}.")
    if not models:
        raise HubError(
            f"{where} has no GGUF model", str(name), "Name a repository with GGUF files."
        )
    if wanted is not None and not wanted.lower().endswith(".gguf"):
        there = _listed(each.quant or each.name for each in models)
        raise HubError(f"{where} has no {wanted}", str(name), f"There is {there}.")
    there = _listed(each.name for each in models)
    raise HubError(f"{where} has no file {wanted}", str(name), f"There is {there}.")


def _rank(model: GgufModel) -> tuple[int, int]:
    known = model.quant in PREFERRED
    return PREFERRED.index(str(model.quant)) if known else len(PREFERRED), model.size


def _is_file(model: GgufModel, wanted: str) -> bool:
    lower = wanted.lower()
    return any(
        lower in (each.path.lower(), each.path.rpartition("/")[2].lower()) for each in model.files
    )


def _same(quant: str | None, wanted: str) -> bool:
    return quant is not None and quant == _plain(wanted)


def _listed(names: Iterable[str]) -> str:
    unique = list(dict.fromkeys(names))
    more = f" and {len(unique) - SHOWN} more" if len(unique) > SHOWN else ""
    return ", ".join(unique[:SHOWN]) + more
