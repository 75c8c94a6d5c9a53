"""The jobs on which constants of the tuner may be chosen: other data, networks and kinds than those that judge (tasks.py)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from . import data
from .jobs import Job, Task, adam, adamw, cross_entropy, made, pretrain, sgd, squares, streamed
from .models import Adder, Residual, SmallGpt, autoencoder, mlp


def _valley(training: int = 1_500, seed: int = 41) -> data.Data:
    """Friedman's first function of ten numbers (1991), in units of its deviation, with noise of a fifth of it."""
    draw = data.seeded(seed)
    count = training + 1_024 + 4_096
    x = torch.rand(count, 10, generator=draw)
    y = 10 * torch.sin(math.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    y = (y - y.mean()) / y.std() + 0.2 * torch.randn(count, generator=draw)
    return data.split(2 * x - 1, y.unsqueeze(1), training, 1_024)


def _shells(training: int = 3_000, wrong_labels: float = 0.1, seed: int = 43) -> data.Data:
    """Four classes by the length of a vector of eight numbers, shifted by four more; a tenth of the labels drawn at random."""
    draw = data.seeded(seed)
    count = training + 1_024 + 4_096
    x = torch.randn(count, 12, generator=draw)
    length = (x[:, :8] + 0.7 * x[:, 8:].repeat(1, 2)).norm(dim=1)
    labels = torch.bucketize(length, torch.quantile(length, torch.tensor([0.25, 0.5, 0.75])))
    is_wrong = torch.rand(count, generator=draw) < wrong_labels
    labels = torch.where(is_wrong, torch.randint(0, 4, (count,), generator=draw), labels)
    return data.split(x, labels, training, 1_024)


def _textures(training: int, wrong_labels: float, seed: int = 47) -> data.Data:
    """Noise, 16 by 16, that one of eight filters has smoothed; the classes are the filters."""
    draw = data.seeded(seed)
    count = training + 1_024 + 2_048
    labels = torch.randint(0, 8, (count,), generator=draw)
    filters = torch.randn(8, 1, 5, 5, generator=draw)
    noise = torch.randn(count, 1, 20, 20, generator=draw)
    pictures = F.conv2d(noise, filters).gather(
        1, labels.view(-1, 1, 1, 1).expand(-1, 1, 16, 16)
    ) / filters.square().sum((1, 2, 3)).sqrt()[labels].view(-1, 1, 1, 1)
    pictures = pictures + 0.8 * torch.randn(count, 1, 16, 16, generator=draw)
    is_wrong = torch.rand(count, generator=draw) < wrong_labels
    is_wrong[training:] = False
    labels = torch.where(is_wrong, torch.randint(0, 8, (count,), generator=draw), labels)
    return data.split(pictures, labels, training, 1_024)


def _sums(training: int = 4_000, length: int = 16, seed: int = 53) -> data.Data:
    """Sequences of numbers with two of them marked; the target is the sum of those two. Nothing is learned for long, then all."""
    draw = data.seeded(seed)
    count = training + 1_024 + 2_048
    numbers = torch.rand(count, length, generator=draw)
    marks = torch.zeros(count, length)
    for half in (slice(0, length // 2), slice(length // 2, length)):
        place = torch.randint(half.start, half.stop, (count, 1), generator=draw)
        marks.scatter_(1, place, 1.0)
    targets = (numbers * marks).sum(1, keepdim=True) + 0.05 * torch.randn(count, 1, generator=draw)
    return data.split(torch.stack([numbers, marks], 2), targets, training, 1_024)


def _surfaces(training: int = 4_000, seed: int = 59) -> data.Data:
    """Points of a curved surface of five dimensions in thirty, with noise; the target is the point itself without it."""
    draw = data.seeded(seed)
    count = training + 1_024 + 4_096
    low = torch.randn(count, 5, generator=draw)
    hidden = torch.tanh(low @ torch.randn(5, 40, generator=draw))
    clean = hidden @ torch.randn(40, 30, generator=draw) / math.sqrt(40)
    return data.split(clean + 0.2 * torch.randn(count, 30, generator=draw), clean, training, 1_024)


def _stream(seed: int) -> Job:
    """Classes by a teacher of two layers, no example twice."""
    draw = data.seeded(61)
    first, second = torch.randn(24, 48, generator=draw), torch.randn(48, 6, generator=draw)

    def examples(own: torch.Generator, count: int) -> data.Split:
        x = torch.randn(count, 24, generator=own)
        scores = torch.tanh(x @ first / math.sqrt(24)) @ second
        return x, (scores + 0.5 * torch.randn(count, 6, generator=own)).argmax(1)

    return streamed(seed, lambda: mlp(24, 96, 96, 6), examples, cross_entropy, other_seed=67)


def _mirrored(pictures: Tensor) -> Tensor:
    return pictures.flip(3) if torch.rand(()) < 0.5 else pictures


def _retold(seed: int) -> Job:
    """A language model of the library's single files goes on with its packages."""
    torch.manual_seed(0)
    start = made(0, _small_gpt, data.source_text(), 24, cross_entropy)
    pretrain(start, adamw(start.model.parameters(), 1e-3), 300)
    job = made(seed, _small_gpt, data.source_text("*/*.py", most=3_000), 24, cross_entropy)
    job.model.load_state_dict(start.model.state_dict())
    return job


def _small_gpt() -> nn.Module:
    return SmallGpt(width=48)


DEVELOPMENT: tuple[Task, ...] = (
    Task("friedman", 1e-3, adam, (2_000, 6_000), 32,
         lambda s: made(s, lambda: mlp(10, 64, 64, 1, between=nn.Tanh), _valley(), 32, squares)),
    Task("shells", 0.05, sgd, (1_500, 5_000), 64,
         lambda s: made(s, lambda: mlp(12, 128, 128, 4), _shells(), 64, cross_entropy)),
    Task("textures", 0.05, sgd, (600, 1_800), 64,
         lambda s: made(s, Residual, _textures(3_000, 0.0), 64, cross_entropy)),
    Task("noisy-textures", 0.05, sgd, (600, 1_800), 64,
         lambda s: made(s, Residual, _textures(3_000, 0.3), 64, cross_entropy, _mirrored)),
    Task("packages", 1e-3, adamw, (600, 1_800), 24,
         lambda s: made(s, _small_gpt, data.source_text("*/*.py"), 24, cross_entropy), clip=1.0, held_out_count=512),
    Task("retold", 3e-4, adamw, (400, 1_200), 24, _retold, clip=1.0, held_out_count=512),
    Task("one-pass", 0.05, sgd, (2_000, 6_000), 64, _stream),
    Task("sums", 3e-3, adam, (1_200, 3_600), 64,
         lambda s: made(s, Adder, _sums(), 64, squares)),
    Task("surfaces", 1e-3, adam, (1_500, 5_000), 64,
         lambda s: made(s, autoencoder, _surfaces(), 64, squares)),
)  # fmt: skip
