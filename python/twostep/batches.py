"""What a job notes, and the batches of the wire that are made of it (PROTOCOL.md §3)."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

EVENTS_END = "_eventsEnd"
"""How many notes there were with the last one of the batch; not sent."""

NAME_MAX = 128
METRICS_MAX = 200


class Row(NamedTuple):
    """One step as noted: columns by name (None = not known), and the version of the plan that it followed."""

    plan_version: int
    columns: dict[str, Any]
    metrics: dict[str, Any] | None


class Note(NamedTuple):
    """A probe or an acknowledgement. `closes`: what comes after it belongs into the next batch."""

    kind: str
    body: dict[str, Any]
    closes: bool = False


def wire_number(value: Any) -> Any:
    """Nine digits; numbers that JSON does not have travel as names."""
    if isinstance(value, bool) or not isinstance(value, float):
        return value
    if math.isfinite(value):
        return float(f"{value:.9g}")
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def wire_value(value: Any) -> Any:
    """The same at any depth."""
    if isinstance(value, dict):
        return {key: wire_value(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [wire_value(entry) for entry in value]
    return wire_number(value)


def sealed(events: deque[Row | Note], most: int) -> tuple[dict[str, Any], int]:
    """A batch of the oldest events, and their number: steps of one plan, and nothing that was measured after a restore."""
    batch: dict[str, Any] = {}
    rows: list[Row] = []
    count = 0
    while events and count < most:
        event = events[0]
        if isinstance(event, Row):
            if rows and event.plan_version != rows[0].plan_version:
                break
            rows.append(event)
        else:
            batch.setdefault(event.kind, []).append(event.body)
        events.popleft()
        count += 1
        if isinstance(event, Note) and event.closes:
            break
    if rows:
        batch["planVersion"] = rows[0].plan_version
        batch["steps"] = _columns(rows)
    return batch, count


def on_wire(client: str, sequence: int, batch: dict[str, Any]) -> dict[str, Any]:
    body = {"clientId": client, "sequence": sequence, **batch}
    body.pop(EVENTS_END, None)
    return body


def halves(batch: dict[str, Any]) -> list[dict[str, Any]]:
    """The same as two batches, so that each is smaller; what is no step stays with the second. One step is not split."""
    steps = batch.get("steps", {})
    length = len(steps.get("step", ()))
    middle = length // 2
    if middle == 0:
        return [batch]

    def part(columns: dict[str, Any], first: int, last: int) -> dict[str, Any]:
        return {
            name: part(value, first, last) if name == "metrics" else value[first:last]
            for name, value in columns.items()
        }

    head = {"planVersion": batch["planVersion"], "steps": part(steps, 0, middle)}
    return [head, {**batch, "steps": part(steps, middle, length)}]


def _columns(rows: list[Row]) -> dict[str, Any]:
    names = dict.fromkeys(name for row in rows for name in row.columns)
    steps: dict[str, Any] = {}
    for name in names:
        column = [_entry(row.columns.get(name)) for row in rows]
        if any(value is not None for value in column):
            steps[name] = column
    own = list(dict.fromkeys(name for row in rows if row.metrics for name in row.metrics))
    if own:
        steps["metrics"] = {
            name: [_entry((row.metrics or {}).get(name)) for row in rows] for name in own[:METRICS_MAX]
        }
    return steps


def _entry(value: Any) -> Any:
    """A number, or what gives one once the device has it; null where it gives none after all."""
    if callable(value):
        reading: Callable[[], Any] = value
        try:
            value = reading()
        except Exception:  # noqa: BLE001 a number that cannot be read is not known, and no reason to report nothing
            return None
    return wire_number(value)
