"""Results of rows, one line of JSON a run, and the table that is made of them."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

Result = dict[str, Any]

STUDENT = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36, 9: 2.31}
"""97.5 % quantiles of t by the number of values."""
LOST = 10.0
"""Logarithm of a loss that is not finite."""


def read(path: Path) -> list[Result]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def append(path: Path, result: Result) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(result) + "\n")


def table(results: Iterable[Result], rows: Sequence[str], tasks: Sequence[str]) -> str:
    """100 x ln of the geometric mean over seeds of a row's test loss over the best row's, by task; mean with a Student
    interval over tasks, the worst, and the seeds behind it. A row is told over the tasks that it was run on."""
    losses: dict[tuple[str, str], list[float]] = defaultdict(list)
    for result in results:
        losses[result["row"], result["task"]].append(result["test"])
    mean = {key: _log_mean(values) for key, values in losses.items()}
    known = [task for task in tasks if any(t == task for _, t in mean)]
    best = {task: min(value for (_, t), value in mean.items() if t == task) for task in known}
    lines = []
    for row in rows:
        of = [task for task in known if (row, task) in mean]
        if not of:
            continue
        above = [100 * (mean[row, task] - best[task]) for task in of]
        cells = [f"{100 * (mean[row, t] - best[t]):.1f}" if t in of else "" for t in known]
        counts = {len(losses[row, task]) for task in of}
        seeds = "–".join(str(count) for count in sorted({min(counts), max(counts)}))
        middle = sum(above) / len(above)
        of_mean = f"{middle:.1f} ± {_half_width(above):.1f}"
        lines.append((middle, [row, *cells, of_mean, f"{max(above):.1f}", seeds]))
    head = ["row", *known, "mean (95 %)", "worst", "seeds"]
    body = [" | ".join(cells) for _, cells in sorted(lines, key=lambda line: line[0])]
    rule = " | ".join("---" for _ in head)
    return "\n".join(f"| {line} |" for line in [" | ".join(head), rule, *body])


def _log_mean(values: Sequence[float]) -> float:
    logs = [math.log(value) if math.isfinite(value) and value > 0 else LOST for value in values]
    return sum(logs) / len(logs)


def _half_width(values: Sequence[float]) -> float:
    n = len(values)
    if n < 2:
        return math.nan
    middle = sum(values) / n
    deviation = math.sqrt(sum((value - middle) ** 2 for value in values) / (n - 1))
    return STUDENT.get(n, 2.0) * deviation / math.sqrt(n)
