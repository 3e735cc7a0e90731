"""One or two processes that train one model together, each on its own micro-batches.

On two CPU cores two processes of one thread are faster than one process of two threads, and the
result is the same up to the order of a sum.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor
from torch.multiprocessing.spawn import spawn

# glibc returns big blocks to the kernel at once; fetching them back page by page makes training
# several times slower.
MALLOC = {
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "17179869184",
    "MALLOC_TOP_PAD_": "268435456",
    "MALLOC_ARENA_MAX": "1",
}


def keep_memory() -> None:
    """Start this command anew, glibc told to keep its memory: it reads that only at the start."""
    if any(os.environ.get(name) != value for name, value in MALLOC.items()):
        os.execve(sys.executable, sys.orig_argv, {**os.environ, **MALLOC})


@dataclass(frozen=True, slots=True)
class Crew:
    """This process's place among the workers."""

    rank: int
    size: int

    @property
    def leads(self) -> bool:
        return self.rank == 0

    def sum(self, tensor: Tensor) -> None:
        """Replace `tensor`, in every worker, by the sum over all workers."""
        if self.size > 1:
            dist.all_reduce(tensor)


def run_crew(size: int, work: Callable[[Crew], None]) -> None:
    """Run `work` in `size` processes and wait. With more than one it must be picklable."""
    if size == 1:
        work(Crew(0, 1))
        return
    with tempfile.TemporaryDirectory() as folder:
        spawn(_join, args=(size, str(Path(folder) / "meet"), work), nprocs=size)  # type: ignore[no-untyped-call]


def _join(rank: int, size: int, meeting: str, work: Callable[[Crew], None]) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=size)
    try:
        work(Crew(rank, size))
    finally:
        dist.destroy_process_group()
