"""`python -m benchmarks.autopilot`: trains each task by each row, and tells how far each ends above the best known.

Results are kept, one line a run, in a file that a later call goes on with: an engine that has changed is judged anew with
`--again ours`. Needs a server at --server (`npm start`), torch, and for two rows prodigyopt and schedulefree.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from . import results
from .development import DEVELOPMENT
from .jobs import Task
from .results import Result
from .rows import GROUPS, OPEN, OURS_OPEN, ROWS
from .tasks import TASKS
from .training import Found, Setting

OPEN_LENGTH = "open"
SETS = {"test": TASKS, "development": DEVELOPMENT}


def main() -> int:
    parser = argparse.ArgumentParser(prog="benchmarks.autopilot", description=__doc__)
    parser.add_argument("--server", default="http://127.0.0.1:7317")
    parser.add_argument("--results", type=Path, default=Path("autopilot.ndjson"))
    parser.add_argument(
        "--set", choices=list(SETS), default="test", help="tasks that judge, or that constants are chosen on"
    )
    parser.add_argument("--tasks", nargs="*", help="of the set; all by default")
    parser.add_argument(
        "--rows", nargs="*", default=["main"], help=f"names of rows, or of groups: {', '.join(GROUPS)}"
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--length",
        default="short",
        help="short, long, a multiple of short, or open: no budget, cut off after twice the long one",
    )
    parser.add_argument("--again", nargs="*", default=[], help="rows to forget first, at this length")
    parser.add_argument("--table", action="store_true", help="only the table")
    given = parser.parse_args()
    torch.set_num_threads(1)
    tasks = [task for task in SETS[given.set] if given.tasks is None or task.name in given.tasks]
    rows = [name for entry in given.rows for name in GROUPS.get(entry, [entry])]
    if unknown := [name for name in rows if name not in ROWS]:
        parser.error(f"--rows: no row is called {unknown[0]!r}; there are {', '.join(ROWS)}")
    known = [r for r in results.read(given.results) if not _is_forgotten(r, given.again, given.length)]
    if given.again:
        given.results.write_text("".join(json.dumps(r) + "\n" for r in known))
    for seed in range(1, given.seeds + 1):
        for task in () if given.table else tasks:
            for row in rows:
                if (result := _trained(known, task, row, seed, given.length, given.server)) is not None:
                    results.append(given.results, result)
    names = [task.name for task in tasks]
    if given.length == OPEN_LENGTH:
        print(results.open_table(known, list(OPEN), names))
    else:
        told = [r for r in known if r["length"] == given.length]
        print(results.table(told, list(ROWS), names))
    return 0


def _is_forgotten(result: Result, again: Sequence[str], length: str) -> bool:
    return result["row"] in again and result["length"] == length


def _steps(task: Task, length: str) -> int:
    short, long = task.steps
    if length in ("short", "long"):
        return (short, long)[length == "long"]
    return 2 * long if length == OPEN_LENGTH else round(float(length) * short)


def _trained(known: list[Result], task: Task, row: str, seed: int, length: str, server: str) -> Result | None:
    """The new result, which is known from now on; None where it was known before."""
    own = [r for r in known if (r["task"], r["seed"]) == (task.name, seed)]
    if any((r["row"], r["length"]) == (row, length) for r in own):
        return None
    searched = [r for r in own if r["row"] in ("ours", OURS_OPEN) and "foundRate" in r]
    searched.sort(key=lambda r: r["length"] != length)
    found = Found(searched[0]["foundRate"], searched[0]["searchSteps"]) if searched else None
    steps, began = _steps(task, length), time.perf_counter()
    outcome = ROWS[row](Setting(task, seed, steps, server, found))
    result = {
        "task": task.name,
        "row": row,
        "seed": seed,
        "length": length,
        "budget": steps,
        "test": outcome.test,
        "seconds": round(time.perf_counter() - began, 2),
        **outcome.more,
    }
    known.append(result)
    print(f"{task.name} {seed} {row}: {outcome.test:.4f} in {result['seconds']:.0f} s", file=sys.stderr)
    return result


if __name__ == "__main__":
    began = time.time()
    status = main()
    print(f"{time.time() - began:.0f} s", file=sys.stderr)
    sys.exit(status)
