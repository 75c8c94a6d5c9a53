"""What a job's `evaluate` may answer, as a score of the wire (PROTOCOL.md §7). Knows no framework."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

PARTS_MIN, PARTS_MAX = 4, 32
EXAMPLES, PARTS = 1024, 16
"""How many held-out examples an adapter looks at by itself, and in how many equal parts."""


def scored(answer: Any) -> dict[str, Any]:
    """A number, 4 to 32 means over equal parts, or a mapping with `loss`, `lossByPart`, `accuracy`, `examples`.

    An accuracy is a share; others are left out. Raises TypeError where there is no loss in it.
    """
    if isinstance(answer, Mapping):
        loss, parts, accuracy = answer.get("loss"), answer.get("lossByPart"), answer.get("accuracy")
        if loss is None and parts is None:
            raise TypeError("evaluate must answer a loss, got a mapping without 'loss' and 'lossByPart'")
        score = with_parts([] if parts is None else [float(part) for part in parts], loss)
        if accuracy is not None and 0 <= float(accuracy) <= 1:
            score["accuracy"] = float(accuracy)
        if answer.get("examples") is not None:
            score["examples"] = answer["examples"]
        return score
    if getattr(answer, "ndim", 1 if isinstance(answer, (list, tuple)) else 0) == 1:
        return with_parts([float(part) for part in answer])
    return {"loss": float(answer)}


def with_parts(parts: Sequence[float], loss: Any = None) -> dict[str, Any]:
    """The loss, by default the mean of its parts, which are told if they are as many as the wire takes."""
    if loss is None and not parts:
        raise TypeError("evaluate must answer a loss, got an empty list")
    score: dict[str, Any] = {"loss": sum(parts) / len(parts) if loss is None else float(loss)}
    if PARTS_MIN <= len(parts) <= PARTS_MAX:
        score["lossByPart"] = list(parts)
    return score
