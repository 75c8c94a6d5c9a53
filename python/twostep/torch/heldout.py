"""Held-out loss over the first batches of a trainer's own loader: the same batches each time, in equal parts.

A loader that ends with a shorter batch, or is shuffled, would give parts that cannot be compared; so the batches are read once
and kept, and only those as long as the first one count. Memory: those batches, where the loader puts them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import islice
from typing import Any

import torch
from torch import Tensor

from ..score import EXAMPLES, PARTS, PARTS_MAX, with_parts
from .together import is_one_of_many, of_all

TRACED = 4096
"""Numbers of a tensor that are compared."""


def length(batch: Any) -> int:
    """Examples in a batch: the first dimension of the first tensor in it. Raises TypeError where there is none."""
    tensor = next(_tensors(batch), None)
    if tensor is None:
        raise TypeError(f"a batch without a tensor has no length: {type(batch).__name__}")
    return int(tensor.shape[0])


def _tensors(batch: Any) -> Iterator[Tensor]:
    if isinstance(batch, Tensor):
        if batch.ndim > 0:
            yield batch
    elif isinstance(batch, (Mapping, list, tuple)):
        for entry in batch.values() if isinstance(batch, Mapping) else batch:
            yield from _tensors(entry)


Trace = tuple[int, str]
"""By which a process knows another's batch: its length, and a digest of numbers from all over it."""


class HeldOut:
    """`score(loss_of)`: what `run.watch` takes from `evaluate`; `loss_of(batch)` = mean loss of a batch.

    `examples`: how many to look at, at least one batch. From 4 batches on there are parts, which tell smaller differences: 16
    of 64 examples do better than 2 of 512. Of several processes each looks at the batches that its loader gives it, equally
    many, and all hear of all losses; a batch that several are given counts once.
    """

    def __init__(self, loader: Iterable[Any], examples: int = EXAMPLES) -> None:
        self._loader: Iterable[Any] | None = loader
        self._limit = examples
        self._batches: list[Any] = []
        self._counted: list[tuple[int, int]] = []
        """The batches that count, in order: which one, of which process."""
        self.examples = 0

    def _read(self) -> None:
        loader, self._loader = self._loader, None
        if loader is None:
            return
        batches = iter(loader)
        own: list[Any] = []

        def read_first() -> Trace | None:
            own.extend(islice(batches, 1))
            return _trace(own[0]) if own else None

        def read_rest() -> list[Trace]:
            size = length(own[0])
            for batch in batches if 2 * size <= limit else ():
                if length(batch) == size:
                    own.append(batch)
                if size * (len(own) + 1) > limit:
                    break
            return [_trace(batch) for batch in own]

        first = of_all(read_first)
        if None in first:
            return
        # Either all are given the same, or each has its share, whose end may be filled up with examples from the beginning.
        shares = len(set(first))
        limit = min(self._limit, _count_of(loader)) // shares if shares > 1 else self._limit
        self._counted = _counted(of_all(read_rest))
        self._batches = own[: 1 + max(place for place, _ in self._counted)]
        self.examples = max(length for length, _ in filter(None, first)) * len(self._counted)

    def score(self, loss_of: Callable[[Any], Any]) -> dict[str, Any]:
        """Raises ValueError where the loader is empty."""
        self._read()
        if not self._batches:
            raise ValueError("the held-out data has no batch")
        told = of_all(lambda: [float(loss_of(batch)) for batch in self._batches])
        losses = [told[rank][place] for place, rank in self._counted]
        if len(losses) > PARTS_MAX:
            each = len(losses) // PARTS
            losses = [sum(losses[i : i + each]) / each for i in range(0, len(losses), each)]
        return {**with_parts(losses), "examples": self.examples}


def _trace(batch: Any) -> Trace:
    digest = sha256()
    for tensor in _tensors(batch) if is_one_of_many() else ():
        some = tensor.detach().reshape(-1)[:: max(1, tensor.numel() // TRACED)]
        digest.update(bytes(some.cpu().contiguous().view(torch.uint8).tolist()))
    return length(batch), digest.hexdigest()


def _counted(told: list[list[Trace]]) -> list[tuple[int, int]]:
    """Which batches count, of what each process has read: equally many of each, none twice, in equal lengths."""
    longest = max(trace[0] for traces in told for trace in traces)
    seen: set[Trace] = set()
    counted: list[tuple[int, int]] = []
    for place in range(min(len(traces) for traces in told)):
        for rank, traces in enumerate(told):
            trace = traces[place]
            if trace[0] == longest and (len(told) == 1 or trace not in seen):
                counted.append((place, rank))
                seen.add(trace)
    if len(counted) > PARTS_MAX:
        del counted[len(counted) - len(counted) % PARTS :]
    return counted


def _count_of(loader: Any) -> float:
    """Examples in a loader's data set, all processes together; infinite where it does not say."""
    try:
        return len(loader.dataset)
    except (AttributeError, TypeError):
        return math.inf
