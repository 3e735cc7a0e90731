"""Train one model of the pair: `python -m training.train lrm` (or `srm`).

Three things in order: a copy drill until lookup works, then the families with some drill mixed in,
then the families alone while the learning rate falls to zero. After every round the held-out
problems are scored, and what a family still gets wrong decides its share of the next round.
Everything random is seeded by (seed, round, micro-batch), so a run can stop at any round and
resume, with one worker or two.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from training.batches import Encoded, Packed, copy_drill, pack, packed_stream
from training.data import Document, examples, judge_document, solution_document
from training.flaws import error_sense, flaw_marks
from training.held_out import development, without_held_out
from training.judging import judge_example
from training.model import Model, Shape
from training.muon import Muon
from training.recipes import RECIPES, Recipe, mix_for
from training.slips import without_slips
from training.tokenizer import encode_weighted, load
from training.workers import Crew, keep_memory, run_crew

RUNS = Path(__file__).parent / "runs"
TOKENIZER = RUNS / "tokenizer.json"
MICRO_BATCHES = 2
DEV_PROBLEMS = 24
COPY_LEARNED = 0.6
JUDGE_FROM = 0.4
JUDGE_WEIGHT = 8.0
LATE_JUDGE_WEIGHT = 16.0
HESITATION_WEIGHT = 4.0
PROBED_HESITATION_WEIGHT = 2.0
PROBE_WEIGHT = 0.2
FLAWED_WEIGHT = 4.0
"""There are far fewer flawed tokens than fine ones."""


@dataclass(slots=True)
class Progress:
    """Where a run stands; all of it is in the checkpoint."""

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    copy_loss: float = 9.9
    copy_done_at: int | None = None
    rates: dict[str, float] = field(default_factory=dict)
    judging: float = 0.0


def seed_of(*parts: object) -> int:
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:6], "big")


class Training:
    """One worker's side of a run."""

    def __init__(self, recipe: Recipe, crew: Crew, device: torch.device) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe, self.crew, self.device = recipe, crew, device
        self.tokenizer = load(TOKENIZER)
        self.shape = Shape(
            self.tokenizer.get_vocab_size(), recipe.width, recipe.layers, recipe.feed_forward
        )
        self.model = Model(self.shape).to(device)
        self.probe = torch.nn.Linear(self.shape.width, 1, device=device)
        torch.nn.init.zeros_(self.probe.weight)
        self.flawed_weight = torch.tensor(FLAWED_WEIGHT, device=device)
        self.progress = Progress()
        hidden = [p for p in self.model.layers.parameters() if p.dim() == 2]
        known = {id(p) for p in hidden}
        rest = [p for p in self.model.parameters() if id(p) not in known]
        self.optimizers: list[tuple[torch.optim.Optimizer, float]] = [
            (Muon(hidden, lr=recipe.muon_rate), recipe.muon_rate),
            (
                torch.optim.AdamW(rest, lr=recipe.adam_rate, betas=(0.9, 0.95), weight_decay=0.0),
                recipe.adam_rate,
            ),
            (torch.optim.AdamW(self.probe.parameters(), weight_decay=0.0), recipe.adam_rate),
        ]
        parameters = [*self.model.parameters(), *self.probe.parameters()]
        self.gradient = torch.zeros(sum(p.numel() for p in parameters), device=device)
        offset = 0
        for parameter in parameters:
            parameter.grad = self.gradient[offset : offset + parameter.numel()].view_as(parameter)
            offset += parameter.numel()

    def loss(self, batch: Packed) -> Tensor:
        """Weighted cross-entropy of the learned tokens, in nats; only they get logits."""
        *_, early, last = self.model.residuals(batch.tokens, batch.lengths)
        logits = self.model.head(self.model.finish(last)[batch.sources])
        each = functional.cross_entropy(logits, batch.targets, reduction="none")
        loss = (each * batch.weights).sum() / batch.weights.sum()
        if self.progress.step >= self.recipe.probe_from and len(batch.marked):
            seen = self.probe(functional.rms_norm(early[batch.marked], (self.shape.width,)))
            loss = loss + PROBE_WEIGHT * functional.binary_cross_entropy_with_logits(
                seen.squeeze(-1), batch.flawed, pos_weight=self.flawed_weight
            )
        return loss

    def train_step(self, batches: list[Packed]) -> float:
        """One update from this worker's micro-batches; returns the workers' mean loss in nats."""
        self.gradient.zero_()
        total = torch.zeros(1, device=self.device)
        for batch in batches:
            loss = self.loss(batch) / MICRO_BATCHES
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.detach()
        self.crew.sum(self.gradient)
        self.crew.sum(total)
        for optimizer, peak in self.optimizers:
            optimizer.param_groups[0]["lr"] = peak * self.recipe.rate_factor(self.progress.step)
            optimizer.step()
        return total.item()

    def documents(self, round_: int, micro: int) -> Iterator[Encoded]:
        """This round's stream for one micro-batch. Judging starts when there is something to judge
        by.
        """
        rates = self.progress.rates
        able = sum(rates.values()) / len(self.recipe.families) >= JUDGE_FROM
        share = self.recipe.judge_share(self.progress.step) if able else 0.0
        late = self.progress.step >= self.recipe.error_sense_from
        noticing = 1.0
        if late:
            probed = self.progress.step >= self.recipe.probe_from
            noticing = PROBED_HESITATION_WEIGHT if probed else HESITATION_WEIGHT
        mix = mix_for(rates, self.recipe.families)
        seed = seed_of(self.recipe.seed, round_, micro)
        for document in without_held_out(examples(seed, mix, share)):
            segments = error_sense(document.segments, noticing)
            ids, weights, offsets = encode_weighted(self.tokenizer, segments)
            encoded = Encoded(ids, weights, flaw_marks(document.segments, offsets))
            if sum(encoded.weights) == 1.0:  # one digit would drown among the steps' tokens
                heavier = LATE_JUDGE_WEIGHT if late else JUDGE_WEIGHT
                encoded.weights[:] = [heavier * weight for weight in encoded.weights]
            yield encoded

    def wants_copy_drill(self) -> bool:
        step = self.progress.step
        if self.progress.copy_done_at is None:
            return step % 4 != 3
        return step % 15 == 0 and step < self.recipe.copy_until

    def train_round(self) -> float:
        """Train to the next round; returns the mean loss over the domain's steps, in nats."""
        round_ = self.progress.step // self.recipe.round_steps
        mine = range(self.crew.rank, MICRO_BATCHES, self.crew.size)
        streams = [packed_stream(self.documents(round_, micro)) for micro in mine]
        drills = [random.Random(seed_of("copy", self.recipe.seed, round_, micro)) for micro in mine]
        domain: list[float] = []
        for _ in range(self.recipe.round_steps):
            if self.wants_copy_drill():
                batches = [copy_drill(rng, self.shape.vocab) for rng in drills]
                loss = self.train_step([batch.to(self.device) for batch in batches])
                self.progress.copy_loss = 0.9 * self.progress.copy_loss + 0.1 * loss
                if self.progress.copy_loss < COPY_LEARNED and self.progress.copy_done_at is None:
                    self.progress.copy_done_at = self.progress.step
            else:
                batches = [next(stream) for stream in streams]
                domain.append(self.train_step([batch.to(self.device) for batch in batches]))
            self.progress.step += 1
            self.progress.tokens += sum(len(batch.tokens) for batch in batches) * self.crew.size
        return sum(domain) / max(1, len(domain))

    @torch.no_grad()
    def score(self) -> dict[str, float]:
        """Per family, the share of held-out problems whose whole ideal chain is the model's first
        choice at every token.

        That is greedy decoding without the cost of decoding, except that it gives no credit for a
        slip put right later.
        """
        rates: dict[str, float] = {}
        for family in self.recipe.families:
            mine = development(family)[self.crew.rank : DEV_PROBLEMS : self.crew.size]
            rates[family] = self._share_right([solution_document(without_slips(s)) for s in mine])
        return rates

    @torch.no_grad()
    def score_judging(self) -> float:
        """The share of held-out steps, half of them wrong, that get the right digit of the two."""
        documents = []
        for family in self.recipe.families:
            for index, solution in list(enumerate(development(family)[:DEV_PROBLEMS]))[
                self.crew.rank :: self.crew.size
            ]:
                rng = random.Random(f"{family} {index}")
                example = judge_example(without_slips(solution), rng)
                documents.append(judge_document(family, example))
        return self._share_right(documents)

    def _share_right(self, documents: list[Document]) -> float:
        """Of all workers' documents, the share whose learned tokens are all the model's first
        choice.
        """
        counts = torch.zeros(2, device=self.device)
        for document in documents:
            encoded = Encoded(*encode_weighted(self.tokenizer, document.segments)[:2])
            batch = pack([encoded]).to(self.device)
            chosen = self.model.head(self.model(batch.tokens, batch.lengths)[batch.sources]).argmax(
                -1
            )
            counts += torch.tensor([(chosen == batch.targets).all(), 1.0], device=self.device)
        self.crew.sum(counts)
        return (counts[0] / counts[1]).item()

    def save(self, path: Path, with_optimizers: bool) -> None:
        state: dict[str, Any] = {
            "shape": asdict(self.shape),
            "recipe": asdict(self.recipe),
            "model": self.model.state_dict(),
            "progress": asdict(self.progress),
        }
        if with_optimizers:
            state["probe"] = self.probe.state_dict()
            state["optimizers"] = [optimizer.state_dict() for optimizer, _ in self.optimizers]
        partial_path = path.with_suffix(".part")
        torch.save(state, partial_path)
        partial_path.replace(path)

    def resume(self, path: Path) -> None:
        state = torch.load(path, map_location=self.device, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.probe.load_state_dict(state["probe"])
        self.progress = Progress(**state["progress"])
        for (optimizer, _), saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)


def work(recipe: Recipe, device: torch.device, crew: Crew) -> None:
    """Run or resume `recipe` to its last step; a checkpoint and a line of progress per round."""
    folder = RUNS / recipe.name
    folder.mkdir(parents=True, exist_ok=True)
    training = Training(recipe, crew, device)
    if (folder / "last.pt").exists():
        training.resume(folder / "last.pt")
    while training.progress.step < recipe.steps:
        started = time.monotonic()
        tokens = training.progress.tokens
        loss = training.train_round()
        training.progress.rates = training.score()
        training.progress.judging = training.score_judging() if recipe.judge_shares else 0.0
        took = time.monotonic() - started
        training.progress.seconds += took
        if crew.leads:
            training.save(folder / f"step-{training.progress.step:06d}.pt", with_optimizers=False)
            training.save(folder / "last.pt", with_optimizers=True)
            speed = (training.progress.tokens - tokens) / took
            print(progress_line(training.progress, recipe, loss, speed), flush=True)


def progress_line(progress: Progress, recipe: Recipe, loss: float, speed: float) -> str:
    rates = " ".join(f"{name}={rate:.2f}" for name, rate in progress.rates.items())
    rates = rates.replace("tracking_shuffled_objects_", "")
    return (
        f"{progress.step}/{recipe.steps} {progress.seconds / 60:.1f} min "
        f"{progress.tokens / 1e6:.2f} M tokens {speed:.0f}/s loss {loss:.4f} "
        f"copy {progress.copy_loss:.2f} judge {progress.judging:.2f} | {rates}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=sorted(RECIPES))
    parser.add_argument("--workers", type=int, choices=(1, 2), default=2)
    parser.add_argument("--device", default="cpu", help="cpu, or cuda with one worker")
    arguments = parser.parse_args()
    keep_memory()
    recipe = RECIPES[arguments.model]
    run_crew(arguments.workers, partial(work, recipe, torch.device(arguments.device)))


if __name__ == "__main__":
    main()
