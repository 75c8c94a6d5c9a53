"""The client's half of the tripwire: what a job watches by itself between two answers (PROTOCOL.md §5).

Golden values: protocol/examples/tripwires.json.
"""

from __future__ import annotations

import math

from .plan import Tripwire

NON_FINITE_MAX = 5


def trips(wire: Tripwire | None, smoothed: float | None, norm: float | None, bad_in_a_row: int) -> bool:
    """Whether what is known after a step trips the wire."""
    if wire is None:
        return False
    if bad_in_a_row >= NON_FINITE_MAX:
        return True
    if wire.loss_above is not None and smoothed is not None and smoothed > wire.loss_above:
        return True
    return wire.gradient_norm_above is not None and norm is not None and norm > wire.gradient_norm_above


class Watch:
    """Smoothed loss, losses in a row that were not finite, and whether the wire has tripped since the last answer."""

    __slots__ = ("bad_in_a_row", "smoothed", "tripped")

    def __init__(self) -> None:
        self.begin_anew()

    def begin_anew(self) -> None:
        """After a restore, and in a process that resumes."""
        self.smoothed: float | None = None
        self.bad_in_a_row = 0
        self.tripped = False

    def see(self, wire: Tripwire | None, loss: float | None, norm: float | None) -> bool:
        """Looks at one step that was not skipped; True where the wire trips now."""
        if loss is not None:
            if math.isfinite(loss):
                self.bad_in_a_row = 0
                self.smoothed = loss if self.smoothed is None else self.smoothed + (loss - self.smoothed) / 10
            else:
                self.bad_in_a_row += 1
        if wire is None or self.tripped or not trips(wire, self.smoothed, norm, self.bad_in_a_row):
            return False
        self.tripped = True
        return True
