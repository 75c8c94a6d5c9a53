"""Data that is made here, so that nothing has to be fetched: tables, images, text of Python's own library, sequences."""

from __future__ import annotations

import math
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

Split = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Data:
    """Inputs and targets: what is trained on, what is looked at while training, and what only scores the end."""

    training: Split
    held_out: Split
    test: Split


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def split(inputs: Tensor, targets: Tensor, training: int, held_out: int) -> Data:
    ends = (training, training + held_out)
    parts = [(inputs[a:b], targets[a:b]) for a, b in ((0, ends[0]), ends, (ends[1], len(inputs)))]
    return Data(*parts)


def table(training: int, wrong_labels: float, seed: int = 7) -> Data:
    """Rows of 30 numbers, five classes by a hidden network of two layers; a share of the labels is drawn at random."""
    draw = seeded(seed)
    count = training + 1_024 + 4_096
    inputs = torch.randn(count, 30, generator=draw)
    hidden = torch.tanh(inputs @ torch.randn(30, 24, generator=draw) / math.sqrt(30) * 1.5)
    targets = (hidden @ torch.randn(24, 5, generator=draw)).argmax(1)
    is_wrong = torch.rand(count, generator=draw) < wrong_labels
    targets = torch.where(is_wrong, torch.randint(0, 5, (count,), generator=draw), targets)
    return split(inputs, targets, training, 1_024)


def waves(training: int = 2_048, seed: int = 11) -> Data:
    """A function of eight numbers whose slow part is learned at once and whose fast part late."""
    draw = seeded(seed)
    count = training + 1_024 + 4_096
    inputs = 2 * torch.rand(count, 8, generator=draw) - 1
    slow = torch.sin(2 * inputs[:, :4].sum(1))
    fast = torch.sin(9 * inputs[:, 0]) * torch.cos(7 * inputs[:, 1])
    targets = slow + 0.7 * fast + 0.1 * torch.randn(count, generator=draw)
    return split(inputs, targets.unsqueeze(1), training, 1_024)


def images(training: int, wrong_labels: float, seed: int = 13, turned: float = 0.0) -> Data:
    """Grey images, 16 by 16, of ten kinds of gratings (orientation, frequency) behind a blob, under noise. `turned`: by so many radians."""
    classes, size = 10, 16
    draw = seeded(seed)
    count = training + 1_024 + 2_048
    labels = torch.randint(0, classes, (count,), generator=draw)
    axis = torch.linspace(-1, 1, size)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    angle = turned + (labels % 5).float() * math.pi / 5 + 0.12 * torch.randn(count, generator=draw)
    frequency = 4 + 2.5 * (labels // 5).float() + 0.4 * torch.randn(count, generator=draw)
    phase = 2 * math.pi * torch.rand(count, generator=draw)
    along = torch.cos(angle)[:, None, None] * x + torch.sin(angle)[:, None, None] * y
    grating = torch.sin(frequency[:, None, None] * along + phase[:, None, None])
    place = torch.rand(count, 2, generator=draw) - 0.5
    blob = torch.exp(-6 * ((x - place[:, 0, None, None]) ** 2 + (y - place[:, 1, None, None]) ** 2))
    pictures = grating * blob + 0.3 * torch.randn(count, size, size, generator=draw)
    is_wrong = torch.rand(count, generator=draw) < wrong_labels
    is_wrong[training:] = False
    labels = torch.where(is_wrong, torch.randint(0, classes, (count,), generator=draw), labels)
    return split(pictures.unsqueeze(1), labels, training, 1_024)


def source_text(pattern: str = "*.py", length: int = 64, most: int = 60_000) -> Data:
    """Windows of bytes of the Python library's sources, each with its next bytes; files are apart between the three parts."""
    folder = Path(sysconfig.get_paths()["stdlib"])
    texts = [path.read_bytes() for path in sorted(folder.glob(pattern))[:160]]

    def windows(files: list[bytes], most: int) -> Split:
        stream = torch.tensor(list(b"".join(files)), dtype=torch.long).clamp_(max=127)
        rows = stream[: len(stream) // (length + 1) * (length + 1)].view(-1, length + 1)
        rows = rows[torch.randperm(len(rows), generator=seeded(17))[:most]]
        return rows[:, :-1], rows[:, 1:]

    return Data(
        windows(texts[::2] + texts[1::4], most), windows(texts[3::8], 512), windows(texts[7::8], 1_536)
    )


def tags(training: int = 3_000, length: int = 24, seed: int = 19) -> Data:
    """Sequences of 20 symbols; each is tagged by a rule of its two neighbours and of what came before it."""
    draw = seeded(seed)
    count = training + 1_024 + 2_048
    symbols = torch.randint(0, 20, (count, length), generator=draw)
    left, right = symbols.roll(1, 1), symbols.roll(-1, 1)
    left[:, 0], right[:, -1] = 0, 0
    so_far = (symbols < 5).long().cumsum(1)
    rule = torch.randint(0, 3, (20, 20), generator=draw)
    labels = (rule[left, right] + so_far) % 4
    is_wrong = torch.rand(count, length, generator=draw) < 0.08
    labels = torch.where(is_wrong, torch.randint(0, 4, (count, length), generator=draw), labels)
    return split(symbols, labels, training, 1_024)


def teacher(seed: int = 23, inputs: int = 32) -> Callable[[torch.Generator, int], Split]:
    """A stream that never shows an example twice: a teacher of two layers with noise."""
    draw = seeded(seed)
    first = torch.randn(inputs, 64, generator=draw) / math.sqrt(inputs)
    second = torch.randn(64, 1, generator=draw) / 8

    def batch(own: torch.Generator, count: int) -> Split:
        x = torch.randn(count, inputs, generator=own)
        return x, torch.relu(2 * x @ first) @ second + 0.3 * torch.randn(count, 1, generator=own)

    return batch
