"""Three jobs of a card: a small fully connected network, a convolutional one, and a GPT of six layers. Their data are drawn from
a seed, so that nothing has to be carried to a machine without a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

CLASSES, PIXELS, TRAIN, HELD_OUT = 10, 784, 20_000, 2_000
SYMBOLS, CONTEXT, WIDTH, HEADS, LAYERS, SEQUENCES = 512, 256, 512, 8, 6, 2_048


@dataclass(frozen=True)
class Task:
    """A model, its data on the device, and its usual optimizer."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    batch_size: int
    batch: Callable[[Tensor], tuple[Tensor, Tensor]]
    """Inputs and targets of the examples with these numbers."""
    examples: int
    held_out: tuple[Tensor, Tensor]

    def loss(self, model: nn.Module, inputs: Tensor, targets: Tensor) -> Tensor:
        return functional.cross_entropy(model(inputs), targets)


class Block(nn.Module):
    """A layer of a GPT."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.mixed, self.joined = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.wide = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        batch, length, _ = x.shape
        parts = self.mixed(self.norm1(x)).split(WIDTH, 2)
        query, key, value = (
            part.view(batch, length, HEADS, WIDTH // HEADS).transpose(1, 2) for part in parts
        )
        heads = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        x = x + self.joined(heads.transpose(1, 2).reshape(batch, length, WIDTH))
        return x + self.wide(self.norm2(x))  # type: ignore[no-any-return]


class Gpt(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.symbols = nn.Embedding(SYMBOLS, WIDTH)
        self.places = nn.Parameter(torch.zeros(CONTEXT, WIDTH))
        self.layers = nn.Sequential(*(Block() for _ in range(LAYERS)))
        self.norm, self.scores = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, SYMBOLS)

    def forward(self, x: Tensor) -> Tensor:
        return self.scores(self.norm(self.layers(self.symbols(x) + self.places))).flatten(0, 1)  # type: ignore[no-any-return]


def _images(name: str, device: str, draw: torch.Generator) -> Task:
    """Images of noise, named by a linear teacher that errs."""
    teacher = torch.randn(PIXELS, CLASSES, generator=draw) / PIXELS**0.5
    images = torch.randn(TRAIN + HELD_OUT, PIXELS, generator=draw)
    scores = images @ teacher + 0.5 * torch.randn(len(images), CLASSES, generator=draw)
    inputs, labels = images.to(device), scores.argmax(1).to(device)
    if name == "mlp":
        layers = [nn.Linear(PIXELS, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, CLASSES)]
    else:
        first = [nn.Unflatten(1, (1, 28, 28)), nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU()]
        then = [nn.MaxPool2d(2), nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()]
        layers = [*first, *then, nn.Linear(3_136, CLASSES)]
    model = nn.Sequential(*layers).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    held_out = inputs[TRAIN:], labels[TRAIN:]
    return Task(model, optimizer, 128, lambda rows: (inputs[rows], labels[rows]), TRAIN, held_out)


def _text(device: str, draw: torch.Generator) -> Task:
    """Sequences of a Markov chain of order one."""
    likely = torch.softmax(3 * torch.randn(SYMBOLS, SYMBOLS, generator=draw), 1)
    following = torch.multinomial(likely, 4_096, replacement=True, generator=draw)
    rows = torch.empty(SEQUENCES + 64, CONTEXT + 1, dtype=torch.long)
    rows[:, 0] = torch.randint(0, SYMBOLS, (len(rows),), generator=draw)
    for place in range(CONTEXT):
        chance = torch.randint(0, 4_096, (len(rows),), generator=draw)
        rows[:, place + 1] = following[rows[:, place], chance]
    text = rows.to(device)
    model = Gpt().to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, weight_decay=0.1)
    held = text[SEQUENCES:]
    return Task(
        model,
        optimizer,
        32,
        lambda numbers: (text[numbers, :-1], text[numbers, 1:].flatten()),
        SEQUENCES,
        (held[:, :-1], held[:, 1:].flatten()),
    )


def task(name: str, device: str, seed: int) -> Task:
    """`mlp`, `cnn` or `gpt`; the data are the same for every seed, the first weights are not."""
    torch.manual_seed(seed)
    draw = torch.Generator().manual_seed(1)
    return _text(device, draw) if name == "gpt" else _images(name, device, draw)
