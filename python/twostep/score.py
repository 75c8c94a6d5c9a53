"""What a job's `evaluate` may answer, as a score of the wire (PROTOCOL.md §7). Knows no framework."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PARTS_MIN, PARTS_MAX = 4, 32


def scored(answer: Any) -> dict[str, Any]:
    """A number, 4 to 32 means over equal parts, or a mapping with `loss`, `lossByPart`, `accuracy`, `examples`.

    Raises TypeError where there is no loss in it.
    """
    if isinstance(answer, Mapping):
        score = {key: answer[key] for key in ("accuracy", "examples") if answer.get(key) is not None}
        if answer.get("lossByPart") is not None:
            score.update(scored(list(answer["lossByPart"])))
        if answer.get("loss") is not None:
            score["loss"] = float(answer["loss"])
        if "loss" not in score:
            raise TypeError("evaluate must answer a loss, got a mapping without 'loss' and 'lossByPart'")
        return {key: float(value) if key == "accuracy" else value for key, value in score.items()}
    if getattr(answer, "ndim", 1 if isinstance(answer, (list, tuple)) else 0) == 1:
        parts = [float(part) for part in answer]
        if not parts:
            raise TypeError("evaluate must answer a loss, got an empty list")
        score = {"loss": sum(parts) / len(parts)}
        return {**score, "lossByPart": parts} if PARTS_MIN <= len(parts) <= PARTS_MAX else score
    return {"loss": float(answer)}
