"""Networks of the jobs: small ones of the kinds that people train."""

from __future__ import annotations

import itertools

from torch import Tensor, nn


def mlp(*widths: int, between: type[nn.Module] = nn.ReLU) -> nn.Module:
    layers: list[nn.Module] = []
    for i, (a, b) in enumerate(itertools.pairwise(widths)):
        layers += [nn.Linear(a, b)] + ([between()] if i < len(widths) - 2 else [])
    return nn.Sequential(*layers)


def autoencoder(inputs: int = 30, code: int = 6) -> nn.Module:
    def layer(a: int, b: int) -> list[nn.Module]:
        return [nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU()]

    return nn.Sequential(
        *layer(inputs, 64), nn.Linear(64, code), *layer(code, 64), *layer(64, 64), nn.Linear(64, inputs)
    )


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


class Residual(nn.Module):
    """Two residual blocks with batch normalisation."""

    def __init__(self, width: int = 24, classes: int = 8) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, width, 3, 2, 1)
        self.blocks = nn.ModuleList(self._block(width) for _ in range(2))
        self.head = nn.Linear(width, classes)

    @staticmethod
    def _block(width: int) -> nn.Module:
        def half() -> list[nn.Module]:
            return [nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, width, 3, 1, 1, bias=False)]

        return nn.Sequential(*half(), *half())

    def forward(self, pictures: Tensor) -> Tensor:
        x = self.first(pictures)
        for block in self.blocks:
            x = x + block(x)
        scores: Tensor = self.head(x.relu().mean((2, 3)))
        return scores


class Adder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.memory = nn.GRU(2, 32, batch_first=True)
        self.head = nn.Linear(32, 1)

    def forward(self, sequence: Tensor) -> Tensor:
        total: Tensor = self.head(self.memory(sequence)[0][:, -1])
        return total
