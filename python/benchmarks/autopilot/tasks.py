"""Jobs as people have them: a model, its usual optimizer and rate, its data and what they score it by.

Nothing of the tuner was fitted on them. `steps` are two lengths; each takes 20 to 120 s on one thread.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import data

Batch = tuple[Tensor, Tensor]
PARTS = 16


class Order:
    """Which examples the next batches hold; its whole state is one number, so it can go back."""

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        self._count, self._size, self._seed = count, batch_size, seed
        self._number = 0
        self._epoch = -1
        self._order = torch.empty(0)

    def next(self) -> Tensor:
        per_epoch = self._count // self._size
        epoch, place = divmod(self._number, per_epoch)
        if epoch != self._epoch:
            self._epoch = epoch
            own = torch.Generator().manual_seed(1_000_003 * self._seed + epoch)
            self._order = torch.randperm(self._count, generator=own)
        self._number += 1
        return self._order[place * self._size : (place + 1) * self._size]

    def generator(self) -> torch.Generator:
        """For a stream: the next batch's own numbers."""
        self._number += 1
        return torch.Generator().manual_seed(1_000_003 * self._seed + self._number)

    def state_dict(self) -> dict[str, Any]:
        return {"number": self._number}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._number = int(state["number"])


@dataclass
class Job:
    """One job with its seed: built anew for each row."""

    model: nn.Module
    order: Order
    batch: Callable[[], Batch]
    loss: Callable[[nn.Module, Batch], Tensor]
    losses: Callable[[nn.Module, Batch], Tensor]
    held_out: Batch
    test: Batch

    def held_out_parts(self, model: nn.Module) -> list[float]:
        return self._scored(model, self.held_out)

    def score(self, model: nn.Module, on: Batch) -> float:
        was_training = model.training
        model.eval()
        parts = self._scored(model, on)
        model.train(was_training)
        return sum(parts) / len(parts)

    @torch.no_grad()
    def _scored(self, model: nn.Module, on: Batch) -> list[float]:
        losses = torch.cat(
            [self.losses(model, (x, y)) for x, y in zip(on[0].split(512), on[1].split(512), strict=True)]
        )
        return [float(part.mean()) for part in losses.tensor_split(PARTS)]


@dataclass(frozen=True)
class Task:
    name: str
    default_rate: float
    optimizer: Callable[[Iterable[nn.Parameter], float], torch.optim.Optimizer]
    steps: tuple[int, int]
    batch_size: int
    build: Callable[[int], Job]
    clip: float | None = None
    held_out_count: int = 1_024
    more: dict[str, Any] = field(default_factory=dict)


def sgd(parameters: Iterable[nn.Parameter], rate: float) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, rate, momentum=0.9, weight_decay=5e-4)


def adam(parameters: Iterable[nn.Parameter], rate: float) -> torch.optim.Optimizer:
    return torch.optim.Adam(parameters, rate)


def adamw(parameters: Iterable[nn.Parameter], rate: float) -> torch.optim.Optimizer:
    return torch.optim.AdamW(parameters, rate, weight_decay=0.1, betas=(0.9, 0.95))


def _cross_entropy(model: nn.Module, batch: Batch) -> Tensor:
    scores = model(batch[0])
    losses = F.cross_entropy(scores.flatten(0, -2), batch[1].flatten(), reduction="none")
    return losses.view(len(batch[1]), -1).mean(1)


def _squares(model: nn.Module, batch: Batch) -> Tensor:
    return (model(batch[0]) - batch[1]).square().mean(1)


def _hinge(model: nn.Module, batch: Batch) -> Tensor:
    scores = model(batch[0])
    right = scores.gather(-1, batch[1].unsqueeze(-1))
    others = (1 + scores - right).clamp_(min=0).scatter(-1, batch[1].unsqueeze(-1), 0)
    return others.sum(-1).mean(1)


def _job(
    seed: int,
    model: Callable[[], nn.Module],
    source: data.Data,
    batch_size: int,
    losses: Callable[[nn.Module, Batch], Tensor],
    changed: Callable[[Tensor], Tensor] = lambda inputs: inputs,
) -> Job:
    torch.manual_seed(seed)
    inputs, targets = source.training
    order = Order(len(inputs), batch_size, seed)

    def batch() -> Batch:
        chosen = order.next()
        return changed(inputs[chosen]), targets[chosen]

    return Job(model(), order, batch, lambda m, b: losses(m, b).mean(), losses, source.held_out, source.test)


def mlp(*widths: int) -> nn.Module:
    layers: list[nn.Module] = []
    for i, (a, b) in enumerate(itertools.pairwise(widths)):
        layers += [nn.Linear(a, b)] + ([nn.ReLU()] if i < len(widths) - 2 else [])
    return nn.Sequential(*layers)


def convolutional() -> nn.Module:
    def block(a: int, b: int, stride: int) -> list[nn.Module]:
        return [nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU()]

    return nn.Sequential(
        *block(1, 16, 1), *block(16, 32, 2), *block(32, 32, 1), *block(32, 64, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        nn.Linear(64, 10),
    )  # fmt: skip


class SmallGpt(nn.Module):
    """Two layers of 64 channels and four heads over 64 bytes."""

    def __init__(self, width: int = 64, depth: int = 2, length: int = 64) -> None:
        super().__init__()
        self.symbols = nn.Embedding(128, width)
        self.places = nn.Embedding(length, width)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(width, 4, 4 * width, 0.0, "gelu", batch_first=True, norm_first=True)
            for _ in range(depth)
        )
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 128, bias=False)
        self.register_buffer("mask", nn.Transformer.generate_square_subsequent_mask(length), persistent=False)

    def forward(self, symbols: Tensor) -> Tensor:
        x = self.symbols(symbols) + self.places.weight[: symbols.shape[1]]
        for layer in self.layers:
            x = layer(x, src_mask=self.mask, is_causal=True)
        scores: Tensor = self.head(self.norm(x))
        return scores


class Tagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.symbols = nn.Embedding(20, 24)
        self.memory = nn.GRU(24, 48, batch_first=True, bidirectional=True)
        self.head = nn.Linear(96, 4)

    def forward(self, symbols: Tensor) -> Tensor:
        scores: Tensor = self.head(self.memory(self.symbols(symbols))[0])
        return scores


def _shifted(pictures: Tensor) -> Tensor:
    """Augmentation: moved by up to two pixels, and mirrored in both ways at once half of the time."""
    dy, dx = (int(torch.randint(-2, 3, ())) for _ in "yx")
    moved = pictures.roll((dy, dx), (2, 3))
    return moved.flip(2, 3) if torch.rand(()) < 0.5 else moved


def _finetuned(seed: int) -> Job:
    """From a network that has learned ten classes of other images, as a checkpoint found on a hub would have."""
    job = _job(seed, convolutional, data.images(1_200, 0.0, seed=29, turned=math.pi / 10), 64, _cross_entropy)
    source = data.images(6_000, 0.0, seed=13)
    start = _job(0, convolutional, source, 128, _cross_entropy)
    optimizer = sgd(start.model.parameters(), 0.1)
    for step in range(400):
        optimizer.param_groups[0]["lr"] = 0.1 * (1 - step / 400)
        optimizer.zero_grad()
        start.loss(start.model, start.batch()).backward()
        optimizer.step()
    job.model.load_state_dict(start.model.state_dict())
    return job


def _streamed(seed: int) -> Job:
    torch.manual_seed(seed)
    draw = data.teacher()
    order = Order(10**9, 64, seed)
    own = torch.Generator().manual_seed(31)
    held_out, test = draw(own, 1_024), draw(own, 4_096)
    return Job(
        mlp(32, 128, 128, 1),
        order,
        lambda: draw(order.generator(), 64),
        lambda m, b: _squares(m, b).mean(),
        _squares,
        held_out,
        test,
    )


TASKS: tuple[Task, ...] = (
    Task("table", 1e-3, adam, (1_500, 5_000), 64,
         lambda s: _job(s, lambda: mlp(30, 256, 256, 5), data.table(2_000, 0.15), 64, _cross_entropy)),
    Task("waves", 1e-3, adam, (3_000, 10_000), 64,
         lambda s: _job(s, lambda: mlp(8, 128, 128, 128, 1), data.waves(), 64, _squares)),
    Task("images", 0.05, sgd, (800, 2_400), 64,
         lambda s: _job(s, convolutional, data.images(4_000, 0.0), 64, _cross_entropy)),
    Task("noisy-images", 0.05, sgd, (800, 2_400), 64,
         lambda s: _job(s, convolutional, data.images(4_000, 0.2), 64, _cross_entropy, _shifted)),
    Task("gpt", 1e-3, adamw, (600, 1_800), 24,
         lambda s: _job(s, SmallGpt, data.source_text(), 24, _cross_entropy), clip=1.0, held_out_count=512),
    Task("fine-tuning", 0.01, sgd, (400, 1_200), 64, _finetuned),
    Task("stream", 1e-3, adam, (2_000, 6_000), 64, _streamed),
    Task("tags", 3e-3, adam, (1_000, 3_000), 64, lambda s: _job(s, Tagger, data.tags(), 64, _hinge)),
)  # fmt: skip
