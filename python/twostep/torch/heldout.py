"""Held-out loss over the first batches of a trainer's own loader: the same batches each time, in equal parts.

A loader that ends with a shorter batch, or is shuffled, would give parts that cannot be compared; so the batches are read once
and kept, and only those as long as the first one count. Memory: those batches, where the loader puts them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from torch import Tensor

from ..score import EXAMPLES, PARTS, PARTS_MAX, with_parts


def length(batch: Any) -> int:
    """Examples in a batch: the first dimension of the first tensor in it. Raises TypeError where there is none."""
    tensor = _first_tensor(batch)
    if tensor is None:
        raise TypeError(f"a batch without a tensor has no length: {type(batch).__name__}")
    return int(tensor.shape[0])


def _first_tensor(batch: Any) -> Tensor | None:
    if isinstance(batch, Tensor):
        return batch if batch.ndim > 0 else None
    inner = (
        batch.values() if isinstance(batch, Mapping) else batch if isinstance(batch, (list, tuple)) else ()
    )
    return next((tensor for entry in inner if (tensor := _first_tensor(entry)) is not None), None)


class HeldOut:
    """`score(loss_of)`: what `run.watch` takes from `evaluate`; `loss_of(batch)` = mean loss of a batch.

    `examples`: how many to look at, at least one batch. From 4 batches on there are parts, which tell smaller differences: 16
    of 64 examples do better than 2 of 512.
    """

    def __init__(self, loader: Iterable[Any], examples: int = EXAMPLES) -> None:
        self._loader: Iterable[Any] | None = loader
        self._limit = examples
        self._batches: list[Any] = []
        self.examples = 0

    def _read(self) -> None:
        loader, self._loader = self._loader, None
        if loader is None:
            return
        size = 0
        for batch in loader:
            size = size or length(batch)
            if length(batch) == size:
                self._batches.append(batch)
            if size * (len(self._batches) + 1) > self._limit:
                break
        count = len(self._batches)
        if count > PARTS_MAX:
            del self._batches[count - count % PARTS :]
        self.examples = size * len(self._batches)

    def score(self, loss_of: Callable[[Any], Any]) -> dict[str, Any]:
        """Raises ValueError where the loader is empty."""
        self._read()
        if not self._batches:
            raise ValueError("the held-out data has no batch")
        losses = [float(loss_of(batch)) for batch in self._batches]
        if len(losses) > PARTS_MAX:
            each = len(losses) // PARTS
            losses = [sum(losses[i : i + each]) / each for i in range(0, len(losses), each)]
        return {**with_parts(losses), "examples": self.examples}
