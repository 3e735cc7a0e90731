"""Muon (Jordan et al., 2024): momentum with matrix updates made orthogonal by Newton-Schulz."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonalise(matrices: Tensor, steps: int = 5) -> Tensor:
    """Bring all singular values of each matrix in [batch, rows, columns] near 1."""
    a, b, c = COEFFICIENTS
    wide = matrices.shape[-2] <= matrices.shape[-1]
    x: Tensor = matrices if wide else matrices.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + torch.baddbmm(gram, gram, gram, beta=b, alpha=c) @ x
    return x if wide else x.mT


class Muon(torch.optim.Optimizer):
    """For hidden matrices only. One taller than wide counts as square ones on top of each other.

    All matrices of one shape are updated together as one batch: at these sizes the calls cost more
    than the arithmetic.
    """

    def __init__(self, matrices: Iterable[Tensor], lr: float, momentum: float = 0.95) -> None:
        super().__init__(list(matrices), {"lr": lr, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            blocks: dict[torch.Size, list[tuple[Tensor, Tensor]]] = {}
            for parameter in group["params"]:
                state = self.state[parameter]
                if not state:
                    state["momentum"] = torch.zeros_like(parameter)
                momentum = state["momentum"]
                momentum.lerp_(parameter.grad, 1 - group["momentum"])
                update = parameter.grad.lerp(momentum, group["momentum"])
                height = min(parameter.shape)
                for block, into in zip(update.split(height), parameter.split(height), strict=True):
                    blocks.setdefault(block.shape, []).append((block, into))
            for pairs in blocks.values():
                directions = orthogonalise(torch.stack([block for block, _ in pairs]))
                for direction, (_, into) in zip(directions, pairs, strict=True):
                    into.add_(direction, alpha=-group["lr"])
