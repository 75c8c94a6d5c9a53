"""The jobs that judge: no constant of the tuner is chosen on them (development.py has those on which that may be done).

`steps` are two lengths; each takes 20 to 120 s on one thread.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from . import data
from .jobs import Job, Task, adam, adamw, cross_entropy, hinge, made, pretrain, sgd, squares, streamed
from .models import SmallGpt, Tagger, convolutional, mlp


def _shifted(pictures: Tensor) -> Tensor:
    """Augmentation: moved by up to two pixels, and mirrored in both ways at once half of the time."""
    dy, dx = (int(torch.randint(-2, 3, ())) for _ in "yx")
    moved = pictures.roll((dy, dx), (2, 3))
    return moved.flip(2, 3) if torch.rand(()) < 0.5 else moved


def _finetuned(seed: int) -> Job:
    """From a network that has learned ten classes of other images, as a checkpoint found on a hub would have."""
    job = made(seed, convolutional, data.images(1_200, 0.0, seed=29, turned=math.pi / 10), 64, cross_entropy)
    source = data.images(6_000, 0.0, seed=13)
    start = made(0, convolutional, source, 128, cross_entropy)
    pretrain(start, sgd(start.model.parameters(), 0.1), 400)
    job.model.load_state_dict(start.model.state_dict())
    return job


def _stream(seed: int) -> Job:
    return streamed(seed, lambda: mlp(32, 128, 128, 1), data.teacher(), squares, other_seed=31)


TASKS: tuple[Task, ...] = (
    Task("table", 1e-3, adam, (1_500, 5_000), 64,
         lambda s: made(s, lambda: mlp(30, 256, 256, 5), data.table(2_000, 0.15), 64, cross_entropy)),
    Task("waves", 1e-3, adam, (3_000, 10_000), 64,
         lambda s: made(s, lambda: mlp(8, 128, 128, 128, 1), data.waves(), 64, squares)),
    Task("images", 0.05, sgd, (800, 2_400), 64,
         lambda s: made(s, convolutional, data.images(4_000, 0.0), 64, cross_entropy)),
    Task("noisy-images", 0.05, sgd, (800, 2_400), 64,
         lambda s: made(s, convolutional, data.images(4_000, 0.2), 64, cross_entropy, _shifted)),
    Task("gpt", 1e-3, adamw, (600, 1_800), 24,
         lambda s: made(s, SmallGpt, data.source_text(), 24, cross_entropy), clip=1.0, held_out_count=512),
    Task("fine-tuning", 0.01, sgd, (400, 1_200), 64, _finetuned),
    Task("stream", 1e-3, adam, (2_000, 6_000), 64, _stream),
    Task("tags", 3e-3, adam, (1_000, 3_000), 64, lambda s: made(s, Tagger, data.tags(), 64, hinge)),
)  # fmt: skip
