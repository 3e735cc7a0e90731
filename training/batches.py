"""Documents as tensors: packing, the copy drill, and the held-out problems that steer the mix."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from training.flaws import UNKNOWN

MICRO_BATCH = 2048
COPY_LENGTHS = (4, 24)


@dataclass(frozen=True, slots=True)
class Encoded:
    """One document: token ids, and per token the weight of its prediction and its mark of `flaws`.

    No marks at all means that all are unknown.
    """

    ids: list[int]
    weights: list[float]
    marks: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Packed:
    """Documents laid end to end.

    `sources` are the indices whose next token counts, `targets` those tokens and `weights` their
    weights, with one entry per learned token. `marked` are the indices of tokens known to be fine
    or flawed, and `flawed` is 1.0 for the latter.
    """

    tokens: Tensor
    lengths: list[int]
    sources: Tensor
    targets: Tensor
    weights: Tensor
    marked: Tensor
    flawed: Tensor

    def to(self, device: torch.device) -> Packed:
        return Packed(
            self.tokens.to(device),
            self.lengths,
            self.sources.to(device),
            self.targets.to(device),
            self.weights.to(device),
            self.marked.to(device),
            self.flawed.to(device),
        )


def pack(documents: list[Encoded]) -> Packed:
    """Lay documents end to end. A document's first token is never learned: nothing precedes it."""
    tokens: list[int] = []
    sources: list[int] = []
    weights: list[float] = []
    marks: list[int] = []
    for document in documents:
        offset = len(tokens) - 1
        learned = [i for i, weight in enumerate(document.weights) if weight > 0 and i > 0]
        sources += [offset + i for i in learned]
        weights += [document.weights[i] for i in learned]
        marks += document.marks or [UNKNOWN] * len(document.ids)
        tokens += document.ids
    flat, at = torch.tensor(tokens), torch.tensor(sources)
    marked = [index for index, mark in enumerate(marks) if mark != UNKNOWN]
    return Packed(
        tokens=flat,
        lengths=[len(document.ids) for document in documents],
        sources=at,
        targets=flat[at + 1],
        weights=torch.tensor(weights),
        marked=torch.tensor(marked, dtype=torch.long),
        flawed=torch.tensor([float(marks[index]) for index in marked]),
    )


def packed_stream(documents: Iterator[Encoded]) -> Iterator[Packed]:
    """Batches of at most MICRO_BATCH tokens, no document cut."""
    batch: list[Encoded] = []
    size = 0
    for document in documents:
        if batch and size + len(document.ids) > MICRO_BATCH:
            yield pack(batch)
            batch, size = [], 0
        batch.append(document)
        size += len(document.ids)


def copy_drill(rng: random.Random, vocab: int) -> Packed:
    """Distinct random tokens, then the same again. Only looking back can predict the second half.

    Lookup has to form before the domain does, or the domain's short cuts crowd it out.
    """
    documents: list[Encoded] = []
    size = 0
    while size < MICRO_BATCH:
        length = rng.randint(*COPY_LENGTHS)
        ids = rng.sample(range(vocab), length)
        documents.append(Encoded(ids + ids, [0.0] * (length + 1) + [1.0] * (length - 1)))
        size += 2 * length
    return pack(documents)
