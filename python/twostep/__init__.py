"""Client of Twostep, the learning-rate autopilot.

run = twostep.init(project="mnist", budget_steps=6000)
run.watch(model, optimizer, evaluate=lambda model: ...)
for batch in loader:
    ...
    run.step(loss)
run.finish()
"""

from __future__ import annotations

import logging
import multiprocessing
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from ._version import __version__
from .branch import Anneal, Branch, Handover, read_branch
from .run import Run
from .settings import SettingError, read_settings

__all__ = ["Anneal", "Branch", "Handover", "Run", "__version__", "init", "read_branch"]

log = logging.getLogger("twostep")


def init(
    project: str | None = None,
    budget_steps: int | None = None,
    *,
    name: str | None = None,
    tags: Iterable[str] = (),
    config: Mapping[str, Any] | None = None,
    run_id: str | None = None,
    first_step: int | None = None,
    warmup_steps: int | None = None,
    budget_tokens: int | None = None,
    tokens_per_step: int | None = None,
    steering: str | None = None,
    mode: str | None = None,
    server_url: str | None = None,
    token: str | None = None,
    spool_dir: str | None = None,
) -> Run:
    """A run. Never raises: what it cannot understand is logged, and the run it answers then does nothing.

    `budget_steps`: optimizer steps to take, 20 or more; None = until the tuner ends the run. `steering`: auto, approve,
    advisory or off. `mode`: online, offline (all goes into the spool, for `twostep sync`) or disabled. `run_id`: goes on with
    that run if it exists. `warmup_steps`: the job's usual warm-up. `tokens_per_step`: tokens are the clock; a step of the run is so
    many (those of an update at the beginning), the budget may be given as `budget_tokens`, and `run.step(tokens=…)` says how many were
    seen. Not given, `server_url`, `token`, `run_id`, `project`, `mode`
    and `spool_dir` are read from TWOSTEP_SERVER_URL, TWOSTEP_TOKEN, TWOSTEP_RUN_ID, TWOSTEP_PROJECT, TWOSTEP_MODE and
    TWOSTEP_SPOOL_DIR.
    """
    if _is_helper_process():
        return Run(None)
    try:
        settings = read_settings(
            project=project,
            budget_steps=budget_steps,
            name=name,
            tags=tags,
            config=config,
            run_id=run_id,
            first_step=first_step,
            warmup_steps=warmup_steps,
            budget_tokens=budget_tokens,
            tokens_per_step=tokens_per_step,
            steering=steering,
            mode=mode,
            server_url=server_url,
            token=token,
            spool_dir=spool_dir,
        )
        return Run(settings)
    except SettingError as error:
        log.error("twostep: %s; the run is not reported, training goes on", error)
    except Exception:
        log.exception("twostep: a fault in init; the run is not reported, training goes on")
    return Run(None)


def _is_helper_process() -> bool:
    """A worker of a DataLoader, or a process that only imports the job's file again: neither trains."""
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        return True
    data = sys.modules.get("torch.utils.data")
    return data is not None and data.get_worker_info() is not None
