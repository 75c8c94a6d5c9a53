"""`python -m benchmarks.autopilot`: trains each task by each row, and tells how far each ends above the best known.

Results are kept, one line a run, in a file that a later call goes on with: an engine that has changed is judged anew with
`--again ours`. Needs a server at --server (`npm start`), torch, and for two rows prodigyopt and schedulefree.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
import urllib.request
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch

from .rows import ROWS
from .tasks import TASKS

Result = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.autopilot", description=__doc__)
    parser.add_argument("--server", default="http://127.0.0.1:7317")
    parser.add_argument("--results", type=Path, default=Path("autopilot.ndjson"))
    parser.add_argument("--tasks", nargs="*", default=[task.name for task in TASKS])
    parser.add_argument("--rows", nargs="*", default=list(ROWS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--length", choices=["short", "long"], default="short")
    parser.add_argument("--again", nargs="*", default=[], help="rows to forget first")
    parser.add_argument("--table", action="store_true", help="only the table")
    given = parser.parse_args()
    torch.set_num_threads(1)
    results = [r for r in _read(given.results) if r["row"] not in given.again]
    if given.again:
        given.results.write_text("".join(json.dumps(r) + "\n" for r in results))
    known = {(r["task"], r["row"], r["seed"], r["length"]) for r in results}
    for seed in range(1, given.seeds + 1):
        for task in TASKS:
            if given.table or task.name not in given.tasks:
                continue
            steps = task.steps[given.length == "long"]
            for row in given.rows:
                if (task.name, row, seed, given.length) in known:
                    continue
                result = _trained(task, row, seed, steps, given.server)
                results.append(result)
                with given.results.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(result) + "\n")
                print(
                    f"{task.name} {seed} {row}: {result['test']:.4f} in {result['seconds']:.0f} s",
                    file=sys.stderr,
                )
    print(table([r for r in results if r["length"] == given.length]))
    return 0


def _read(path: Path) -> list[Result]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _trained(task: Any, row: str, seed: int, steps: int, server: str) -> Result:
    outcome = ROWS[row](task, seed, steps, server)
    result = {
        "task": task.name,
        "row": row,
        "seed": seed,
        "steps": steps,
        "length": "long" if steps == task.steps[1] else "short",
        "test": outcome.test,
        "seconds": round(outcome.seconds, 2),
        **outcome.more,
    }
    if "run" in outcome.more:
        result["decisions"] = _decisions(server, outcome.more["run"])
    return result


def _decisions(server: str, run: str) -> list[Any]:
    """Step and reason of each decision but the holds."""
    try:
        with urllib.request.urlopen(f"{server}/api/v1/runs/{run}/decisions?limit=500", timeout=10) as answer:
            decisions = json.load(answer)["decisions"]
    except (OSError, ValueError, KeyError):
        return []
    return [[d["step"], d["kind"], d["reason"]["key"]] for d in decisions if d["kind"] != "hold"]


def table(results: list[Result]) -> str:
    """100 x ln of a row's mean test loss over the best row's, by task; mean with a Student interval over tasks, and worst."""
    losses: dict[tuple[str, str], list[float]] = defaultdict(list)
    for result in results:
        losses[result["row"], result["task"]].append(result["test"])
    tasks = [task.name for task in TASKS if any(t == task.name for _, t in losses)]
    rows = [row for row in ROWS if any(r == row for r, _ in losses)]
    mean = {key: _log_mean(values) for key, values in losses.items()}
    best = {task: min(value for (_, t), value in mean.items() if t == task) for task in tasks}
    lines = []
    for row in rows:
        above = [100 * (mean[row, task] - best[task]) for task in tasks if (row, task) in mean]
        cells = [f"{100 * (mean[row, t] - best[t]):.1f}" if (row, t) in mean else "" for t in tasks]
        middle = sum(above) / len(above)
        lines.append((middle, [row, *cells, f"{middle:.1f} ± {_half_width(above):.1f}", f"{max(above):.1f}"]))
    head = ["row", *tasks, "mean (95 %)", "worst"]
    body = [" | ".join(cells) for _, cells in sorted(lines, key=lambda line: line[0])]
    rule = " | ".join("---" for _ in head)
    return "\n".join(f"| {line} |" for line in [" | ".join(head), rule, *body])


def _log_mean(values: list[float]) -> float:
    return sum(math.log(value) if math.isfinite(value) and value > 0 else 10.0 for value in values) / len(
        values
    )


STUDENT = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78, 6: 2.57, 7: 2.45, 8: 2.36}


def _half_width(values: list[float]) -> float:
    n = len(values)
    if n < 2:
        return math.nan
    middle = sum(values) / n
    deviation = math.sqrt(sum((value - middle) ** 2 for value in values) / (n - 1))
    return STUDENT.get(n, 2.0) * deviation / math.sqrt(n)


if __name__ == "__main__":
    began = time.time()
    status = main()
    print(f"{time.time() - began:.0f} s", file=sys.stderr)
    sys.exit(status)
