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


def open_table(results: Sequence[Result], rows: Sequence[str], tasks: Sequence[str]) -> str:
    """Rows without a budget beside the best fixed schedule of the same task and seed, of any row and of any length up to where the
    run ended: 100 x ln of the ratio of test losses, and (in brackets) steps taken over those of the shortest fixed schedule
    that ends within one per cent of the best; `*`: cut off. Means over seeds, then over tasks."""
    lines = []
    for row in rows:
        cells, losses, ratios = [], [], []
        for task in tasks:
            own = [r for r in results if (r["row"], r["task"], r["length"]) == (row, task, "open")]
            told = [t for r in own if (t := _against_fixed(r, results)) is not None]
            if not told:
                cells.append("")
                continue
            loss, ratio = (sum(values) / len(told) for values in zip(*told, strict=True))
            is_cut = any(r["steps"] >= r["budget"] for r in own)
            cells.append(f"{loss:.1f} ({ratio:.1f}{'*' if is_cut else ''})")
            losses.append(loss)
            ratios.append(ratio)
        if losses:
            middle = f"{sum(losses) / len(losses):.1f} ± {_half_width(losses):.1f}"
            lines.append([row, *cells, middle, f"{max(losses):.1f}", f"{sum(ratios) / len(ratios):.2f}"])
    head = ["row", *tasks, "mean (95 %)", "worst", "steps"]
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, ["---"] * len(head), *lines])


def _against_fixed(result: Result, results: Sequence[Result]) -> tuple[float, float] | None:
    fixed = [
        r
        for r in results
        if (r["task"], r["seed"]) == (result["task"], result["seed"])
        and r["length"] != "open"
        and not r["row"].startswith("ours")
    ]
    if not fixed:
        return None
    # Of a run that ended before any of them the shortest are taken.
    most = max(result["steps"], min(r["budget"] for r in fixed))
    fixed = [r for r in fixed if r["budget"] <= most]
    best = min(r["test"] for r in fixed)
    near = min(r["budget"] for r in fixed if r["test"] <= 1.01 * best)
    return 100 * _log_mean([result["test"]]) - 100 * _log_mean([best]), result["steps"] / near


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
