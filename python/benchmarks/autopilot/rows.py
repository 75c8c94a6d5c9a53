"""The rows of the table, by groups: `main` is what a user would pick at the default rate, the others tell why it ends as it does."""

from __future__ import annotations

from .ours import ours
from .rivals import kept, plateau, prodigy, schedule_free, scheduled, tuned
from .training import Row, constant_then, cosine, linear
from .unbudgeted import UNBUDGETED

NULL = "found rate, last quarter linear, best kept"
"""The null hypothesis of every rule of ours: its search, and no rule."""

OURS_OPEN = "ours, no budget"

MAIN: dict[str, Row] = {
    "ours": ours(),
    "ours, loss and states": ours(evaluates=False),
    "ours, loss alone": ours(evaluates=False, keeps=False),
    "five lines": kept(0.2),
    "linear": scheduled(linear),
    "cosine": scheduled(cosine),
    "constant, last 20 % linear": scheduled(constant_then(0.2)),
    "plateau, best kept": plateau(),
    "Prodigy, cosine": prodigy,
    "Schedule-Free AdamW": schedule_free,
    "three trials of a third, linear": tuned,
    "constant": scheduled(lambda steps: lambda step: 1.0),
}
FOUND: dict[str, Row] = {
    NULL: kept(0.25, from_found=True),
    "five lines, found rate": kept(0.2, from_found=True),
    "found rate, linear, best kept": kept(1.0, from_found=True),
    "found rate, plateau, best kept": plateau(from_found=True),
}
FACTORS = (("rate / 10", 0.1), ("rate / 3", 1 / 3), ("rate x 3", 3.0), ("rate x 10", 10.0))
RATES: dict[str, Row] = {
    f"{name}, {told}": row
    for told, factor in FACTORS
    for name, row in (
        ("ours", ours(factor=factor)),
        ("five lines", kept(0.2, factor)),
        ("linear", scheduled(linear, factor)),
        ("cosine", scheduled(cosine, factor)),
        ("constant, last 20 % linear", scheduled(constant_then(0.2), factor)),
        ("plateau, best kept", plateau(factor)),
    )
}
OPEN: dict[str, Row] = {OURS_OPEN: ours(has_budget=False), **UNBUDGETED}
GROUPS = {"main": MAIN, "found": FOUND, "rates": RATES, "open": OPEN}
ROWS: dict[str, Row] = {**MAIN, **FOUND, **RATES, **OPEN}
