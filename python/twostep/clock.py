"""Tokens as a run's clock (PROTOCOL.md §2): a step of the run is so many tokens, whatever an update takes.

What the plan says of steps, and all its shares, then count tokens: a job whose batch grows goes through its steps faster. Hands go on
counting updates; here is what translates.
"""

from __future__ import annotations

from typing import Any


class TokenClock:
    """`tokens`: seen so far; `updates`: taken by this process."""

    def __init__(self, tokens_per_step: int) -> None:
        self.tokens_per_step = tokens_per_step
        self.tokens = 0
        self.updates = 0
        self._last = tokens_per_step

    def begin_at(self, tokens: int) -> None:
        self.tokens = tokens

    @property
    def step(self) -> int:
        """The run's step in which the next update begins."""
        return self.tokens // self.tokens_per_step

    @property
    def steps_per_update(self) -> float:
        """Of the last update."""
        return self._last / self.tokens_per_step

    def count(self, tokens: Any) -> int:
        """An update after which so many tokens were seen, in whole; None = it took as many as the one before. The run's next step."""
        if isinstance(tokens, (int, float)) and self.tokens < tokens < 2**62:
            self._last = int(tokens) - self.tokens
        self.tokens += self._last
        self.updates += 1
        return self.step

    def updates_in(self, steps: int | None) -> int | None:
        """How many updates such a distance is at present, at least one."""
        return None if steps is None else max(1, round(steps / self.steps_per_update))

    def steps_in(self, updates: int) -> int:
        return max(1, round(updates * self.steps_per_update))
