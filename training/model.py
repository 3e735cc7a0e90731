"""The Qwen3 architecture at a size two CPU cores can train.

Parameter names and semantics follow `Qwen3ForCausalLM`: RMSNorm before each half of a layer,
RMSNorm on every head of queries and keys, rotary positions in the half-split layout, SwiGLU, no
biases, output head not tied to the embedding. Two matrices are stored stacked (q, k and v; gate and
up), because one product of three times the height costs less than three; `training.export` cuts
them apart again.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

HEAD_DIM = 32
ROPE_THETA = 10_000.0
NORM_EPS = 1e-6


@dataclass(frozen=True, slots=True)
class Shape:
    """The size of one model. `width` and `feed_forward` count features; `context` counts tokens."""

    vocab: int
    width: int
    layers: int
    feed_forward: int
    context: int = 1024

    @property
    def heads(self) -> int:
        return self.width // HEAD_DIM


def rotary_tables(context: int) -> tuple[Tensor, Tensor]:
    """Cosine and sine per position, [context, HEAD_DIM]; the sine holds `rotate_half`'s sign."""
    inverse = ROPE_THETA ** (-torch.arange(0, HEAD_DIM, 2, dtype=torch.float64) / HEAD_DIM)
    angles = torch.outer(torch.arange(context, dtype=torch.float64), inverse)
    cos = torch.cat([angles.cos(), angles.cos()], dim=-1)
    sin = torch.cat([-angles.sin(), angles.sin()], dim=-1)
    return cos.float(), sin.float()


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Causal attention within one document; all are [tokens, heads, HEAD_DIM]."""
    q, k, v = (part.transpose(0, 1).unsqueeze(0) for part in (q, k, v))
    mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    return mixed.squeeze(0).transpose(0, 1)


class Attention(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.qkv = nn.Linear(shape.width, 3 * shape.width, bias=False)
        self.out = nn.Linear(shape.width, shape.width, bias=False)
        self.q_norm = nn.Parameter(torch.ones(HEAD_DIM))
        self.k_norm = nn.Parameter(torch.ones(HEAD_DIM))

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, lengths: list[int]) -> Tensor:
        q, k, v = self.qkv(x).view(len(x), 3, self.heads, HEAD_DIM).unbind(1)
        q = functional.rms_norm(q, (HEAD_DIM,), self.q_norm, NORM_EPS)
        k = functional.rms_norm(k, (HEAD_DIM,), self.k_norm, NORM_EPS)
        q = q * cos + q.roll(HEAD_DIM // 2, -1) * sin
        k = k * cos + k.roll(HEAD_DIM // 2, -1) * sin
        by_document = zip(*(torch.split(part, lengths) for part in (q, k, v)), strict=True)
        mixed = [attend(*document) for document in by_document]
        return self.out(torch.cat(mixed).reshape(len(x), -1))  # type: ignore[no-any-return]


class Layer(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.attention_norm = nn.Parameter(torch.ones(shape.width))
        self.attention = Attention(shape)
        self.feed_forward_norm = nn.Parameter(torch.ones(shape.width))
        self.gate_up = nn.Linear(shape.width, 2 * shape.feed_forward, bias=False)
        self.down = nn.Linear(shape.feed_forward, shape.width, bias=False)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor, lengths: list[int]) -> Tensor:
        width = (x.shape[-1],)
        normed = functional.rms_norm(x, width, self.attention_norm, NORM_EPS)
        x = x + self.attention(normed, cos, sin, lengths)
        normed = functional.rms_norm(x, width, self.feed_forward_norm, NORM_EPS)
        gate, up = self.gate_up(normed).chunk(2, dim=-1)
        return x + self.down(functional.silu(gate) * up)  # type: ignore[no-any-return]


class Model(nn.Module):
    """A causal language model over documents laid end to end; no document sees another."""

    cos: Tensor
    sin: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocab, shape.width)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.norm = nn.Parameter(torch.ones(shape.width))
        self.head = nn.Linear(shape.width, shape.vocab, bias=False)
        cos, sin = rotary_tables(shape.context)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        self._initialise()

    def _initialise(self) -> None:
        nn.init.normal_(self.embedding.weight, std=0.5)
        nn.init.zeros_(self.head.weight)
        for module in self.modules():
            if isinstance(module, Attention):
                nn.init.zeros_(module.out.weight)
            elif isinstance(module, Layer):
                nn.init.zeros_(module.down.weight)

    def forward(self, tokens: Tensor, lengths: list[int]) -> Tensor:
        """Final hidden states, [tokens, width], of documents of these lengths laid end to end."""
        return self.finish(self.residuals(tokens, lengths)[-1])

    def finish(self, residual: Tensor) -> Tensor:
        """The final norm: what the head reads."""
        return functional.rms_norm(residual, (self.shape.width,), self.norm, NORM_EPS)

    def residuals(self, tokens: Tensor, lengths: list[int]) -> list[Tensor]:
        """The stream after each layer, [tokens, width] each."""
        positions = torch.cat([torch.arange(n, device=tokens.device) for n in lengths])
        cos, sin = self.cos[positions].unsqueeze(1), self.sin[positions].unsqueeze(1)
        x = self.embedding(tokens)
        after = []
        for layer in self.layers:
            x = layer(x, cos, sin, lengths)
            after.append(x)
        return after

    def parameter_count(self) -> int:
        return sum(p.numel() for p in self.parameters())
