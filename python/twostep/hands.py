"""What a run asks a framework to do. Adapters implement it; the run itself knows no framework."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

from .branch import Anneal, Beside

Capability = Literal[
    "checkpoint",
    "rewind",
    "heldOutLoss",
    "averagedWeights",
    "microBatchNorms",
    "lineProbe",
    "momentum",
    "branch",
]


STATES_MAX = 8


def check_room(states: Mapping[str, Any], name: str) -> None:
    """Raises MemoryError where there is no room for a state of this name: none is given up to make it."""
    if name not in states and len(states) >= STATES_MAX:
        raise MemoryError(f"{STATES_MAX} states are kept already: {', '.join(states)}")


def check_whole(value: Any) -> None:
    """Raises TypeError for a sum that is still spread over processes (PyTorch's DTensor): read here it would be this process's
    share, and adding it up needs all of them, of which some may not be asked."""
    if any(not placement.is_replicate() for placement in getattr(value, "placements", ())):
        raise TypeError("it is spread over processes; give its full_tensor()")


class Unsupported(Exception):
    """Something that these hands cannot do; the text says what."""


class Score(dict[str, Any]):
    """`{"loss": …}` and, where known, `accuracy` and `lossByPart` (4 to 32 means over fixed, equal parts)."""


class Hands(Protocol):
    """Steps are numbers of updates taken; rates are those of the first parameter group, in the optimizer's own unit."""

    capabilities: tuple[Capability, ...]
    optimizer: dict[str, Any]
    """`{"name", "family"?, "momentum", "weightDecay"}` (PROTOCOL.md §2)."""
    initial_rate: float | None

    def apply(self, rate: float, momentum: float | None) -> None:
        """Sets the rates of the next step, each group's by its own ratio to the first."""

    def number(self, value: Any) -> Any:
        """A float, a function that gives it once the device has it, or None."""

    def columns(self, step: int, micro_batch: int | None) -> dict[str, Any]:
        """What was seen of the step just taken, by names of PROTOCOL.md §3, `learningRate` as applied among them.

        A value may be a function that gives it later; one with `is_ready()` is also watched by the tripwire.
        """

    def average(self, block: int | None) -> None:
        """Takes the weights after a step into the running means, in blocks of so many steps."""

    def valley(self, windows: str, checkpoints: list[str] | None) -> dict[str, Any]:
        """Scores on held-out data: `raw`, `averaged`, `examples`, `checkpoints`. `windows`: "all" or "longest"."""

    def line(self) -> dict[str, Any]:
        """Curvatures (PROTOCOL.md §7). Raises Unsupported."""

    def keep(self, name: str, averaged: bool) -> None:
        """Keeps the whole state under a name."""

    def restore(self, name: str, rewind: bool, skip_batches: int) -> None:
        """Goes back to a state. Raises KeyError where there is none of that name."""

    def drop(self, name: str) -> None:
        """Forgets a state, if there is one."""

    def branch(self, anneal: Anneal, beat: Callable[[], None]) -> Anneal | Beside:
        """Anneals a copy, after which all is as it was, or has a second process do it. `beat` is called now and then."""

    def finish(self, keep: str, checkpoint: str | None) -> None:
        """Makes the result the present weights: `last`, `averaged` or `checkpoint`. Raises KeyError."""

    def close(self) -> None:
        """Lets go of the model, the optimizer and all that is kept; what `finish` has put into the model stays."""


class NoHands:
    """Reports and gives a rate; the job does the rest."""

    def __init__(self, optimizer: dict[str, Any] | None = None, initial_rate: float | None = None) -> None:
        self.capabilities: tuple[Capability, ...] = ()
        self.optimizer = optimizer or {}
        self.initial_rate = initial_rate

    def apply(self, rate: float, momentum: float | None) -> None:
        return None

    def number(self, value: Any) -> Any:
        check_whole(value)
        return None if value is None else float(value)

    def columns(self, step: int, micro_batch: int | None) -> dict[str, Any]:
        return {}

    def average(self, block: int | None) -> None:
        return None

    def valley(self, windows: str, checkpoints: list[str] | None) -> dict[str, Any]:
        raise Unsupported("nothing is watched that could be scored")

    def line(self) -> dict[str, Any]:
        raise Unsupported("line probes are not made by this client")

    def keep(self, name: str, averaged: bool) -> None:
        raise Unsupported("no model is watched")

    def restore(self, name: str, rewind: bool, skip_batches: int) -> None:
        raise KeyError(name)

    def drop(self, name: str) -> None:
        return None

    def branch(self, anneal: Anneal, beat: Callable[[], None]) -> Anneal | Beside:
        raise Unsupported("no model is watched")

    def finish(self, keep: str, checkpoint: str | None) -> None:
        if keep != "last":
            raise KeyError(checkpoint or keep)

    def close(self) -> None:
        return None
