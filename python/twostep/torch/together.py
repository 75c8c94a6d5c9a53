"""What all processes of a job know together, where a trainer calls them all at the same place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import torch

T = TypeVar("T")


def is_one_of_many() -> bool:
    distributed = torch.distributed
    return distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1


def of_all(make: Callable[[], T]) -> list[T]:
    """What each process makes, by rank. What fails in one of them raises in all, so that none waits for it."""
    if not is_one_of_many():
        return [make()]
    own: Any = None
    error: Exception | None = None
    try:
        own = make()
    except Exception as raised:  # noqa: BLE001 raised again below
        error = raised
    told: list[Any] = [None] * torch.distributed.get_world_size()
    torch.distributed.all_gather_object(told, (own, None if error is None else repr(error)))
    if error is not None:
        raise error
    failure = next((text for _, text in told if text is not None), None)
    if failure is not None:
        raise RuntimeError(f"another process has failed: {failure}")
    return [answer for answer, _ in told]
