"""Several processes of one job: the first one speaks with the server, and gives the others its orders at meetings.

Orders go through the store with which the processes have found each other (torch.distributed), not through
collectives: so they do not mix with those of the training, and work with any backend. Every process carries the same
orders out before the same step. The steps of meetings are agreed at the meeting before.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from itertools import count
from typing import Any, Protocol

Order = dict[str, Any]

MEETS_EACH = 10
"""Steps after which there is a meeting at the latest: so long a new plan may wait for its ranks to hear of it."""
GATHER_SECONDS = 120.0
ORDER_SECONDS = 1800.0


class Ranks(Protocol):
    leads: bool
    meets_each: int | None

    def share(self, order: Order) -> Order:
        """The leader's order, for all."""

    def agree(self, failure: str | None) -> str | None:
        """None if all processes have succeeded, else why one of them has not."""


class Alone:
    """A job of one process."""

    leads = True
    meets_each: int | None = None

    def share(self, order: Order) -> Order:
        return order

    def agree(self, failure: str | None) -> str | None:
        return failure


class Together:
    """A job of several processes, all of which take the same steps and watch the same model."""

    meets_each: int | None = MEETS_EACH

    def __init__(self, store: Any, rank: int, size: int) -> None:
        self._store = store
        self._rank = rank
        self._size = size
        self._number = 0
        self._agreed: list[str] = []
        self.leads = rank == 0

    def share(self, order: Order) -> Order:
        self._number += 1
        key = f"order/{self._number}"
        if self.leads:
            self._store.set(key, json.dumps(order))
            if self._number > 2:
                self._forget(self._number - 2)
            return order
        self._store.wait([key], timedelta(seconds=ORDER_SECONDS))
        heard: Order = json.loads(self._store.get(key))
        self._store.add(f"heard/{self._number}", 1)
        return heard

    def _forget(self, number: int) -> None:
        """An order is taken away once all have it; one that some have not heard yet stays."""
        if self._store.add(f"heard/{number}", 0) == self._size - 1:
            self._store.delete_key(f"order/{number}")
            self._store.delete_key(f"heard/{number}")

    def agree(self, failure: str | None) -> str | None:
        self._number += 1
        own = "" if failure is None else f"rank {self._rank}: {failure}"
        self._store.set(f"agree/{self._number}/{self._rank}", own)
        keys = [f"agree/{self._number}/{rank}" for rank in range(self._size)]
        self._store.wait(keys, timedelta(seconds=ORDER_SECONDS))
        failures = [self._store.get(key).decode() for key in keys]
        if self.leads:
            # All have come so far, so all have read what was agreed before.
            for key in self._agreed:
                self._store.delete_key(key)
            self._agreed = keys
        return next((text for text in failures if text), None)


_jobs = count()
"""Runs of this process; every process of a job makes the same ones in the same order."""


def find_ranks() -> Ranks | None:
    """Of a job under torchrun (or the like) all its processes, once all of them are here; None if some do not come."""
    torch = sys.modules.get("torch")
    distributed = getattr(torch, "distributed", None)
    if distributed is None or not distributed.is_available() or not distributed.is_initialized():
        return Alone()
    size, rank = distributed.get_world_size(), distributed.get_rank()
    if size == 1:
        return Alone()
    store = distributed.PrefixStore(
        f"twostep/{next(_jobs)}", distributed.distributed_c10d._get_default_store()
    )
    return Together(store, rank, size) if _are_all_here(store, rank, size) else None


def _are_all_here(store: Any, rank: int, size: int) -> bool:
    """The first process waits for the others, and its word holds for all: none of them begins what another has given up."""
    store.set(f"here/{rank}", "1")
    try:
        if rank > 0:
            store.wait(["verdict"], timedelta(seconds=1.5 * GATHER_SECONDS))
            return bool(store.get("verdict") == b"together")
        store.wait([f"here/{other}" for other in range(size)], timedelta(seconds=GATHER_SECONDS))
        are_here = not store.check(["gone"])
    except RuntimeError:
        are_here = False
    store.set("verdict" if rank == 0 else "gone", "together" if are_here else "apart")
    return are_here


def rank_of_this_process() -> int:
    """By torch.distributed; 0 for a job of one process."""
    distributed = getattr(sys.modules.get("torch"), "distributed", None)
    if distributed is None or not distributed.is_available() or not distributed.is_initialized():
        return 0
    return int(distributed.get_rank())
