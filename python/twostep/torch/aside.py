"""A copy annealed in turn: the job's own steps, taken aside, after which all is as it was.

Put back are weights, buffers, optimizer state, gradients, the settings of parameter groups, modes, random numbers, the place in
the data where the job can go back to it, the scaler, and what the client itself has seen of the training. Memory meanwhile: a
state and a copy of the gradients more.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ..branch import Anneal, Branch
from .noise import StepWatch
from .normalisation import Normalisation
from .shards import part
from .states import States

TRUNK = "trunk"


def annealed(
    branch: Branch,
    anneal: Anneal,
    *,
    model: nn.Module,
    write_rate: Callable[[float], None],
    score: Callable[[], float | None],
    beat: Callable[[], None],
) -> Anneal:
    """Takes the copy's steps, scores it and keeps it; the caller has put the run aside."""
    assert branch.step is not None
    for k in range(anneal.steps):
        write_rate(anneal.rate(k))
        branch.step()
        beat()
    done = replace(anneal, loss=score())
    model.eval()
    with torch.no_grad():
        _keep(branch.keep, model, done)
    return done


def _keep(keep: Any, model: nn.Module, anneal: Anneal) -> None:
    if keep is None:
        return
    if callable(keep):
        keep(model, anneal)
        return
    folder = Path(keep)
    folder.mkdir(parents=True, exist_ok=True)
    distributed = torch.distributed
    is_one = not distributed.is_available() or not distributed.is_initialized()
    rank = "" if is_one or distributed.get_world_size() == 1 else f"-rank-{distributed.get_rank()}"
    torch.save(model.state_dict(), folder / f"{anneal.stem}{rank}.pt")


@contextmanager
def aside(
    *,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    states: States,
    watch: StepWatch,
    normalisation: Normalisation,
    host: bool,
) -> Iterator[None]:
    """All that a step changes is as it was afterwards, whatever happens within. Raises MemoryError where there is no room."""
    with ExitStack() as back:
        # Whatever fails on the way back, the rest is put back all the same.
        back.enter_context(normalisation.same_modes())
        back.enter_context(normalisation.same_inputs())
        back.enter_context(watch.quiet())
        back.callback(_group_settings(optimizer))
        back.callback(_arrays())
        back.callback(_gradients(optimizer, host))
        back.callback(_passing_buffers(model))
        states.keep(TRUNK)
        back.callback(states.drop, TRUNK)
        back.callback(states.restore, TRUNK, True)
        yield


def _group_settings(optimizer: torch.optim.Optimizer) -> Callable[[], None]:
    def copied(value: Any) -> Any:
        return value.clone() if isinstance(value, Tensor) else value

    saved = [
        {key: (value, copied(value)) for key, value in group.items() if key != "params"}
        for group in optimizer.param_groups
    ]

    def put_back() -> None:
        for group, own in zip(optimizer.param_groups, saved, strict=True):
            for key, (value, before) in own.items():
                if isinstance(value, Tensor):
                    value.copy_(before)
                group[key] = value

    return put_back


def _arrays() -> Callable[[], None]:
    """NumPy's random numbers, where the job has it loaded."""
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return lambda: None
    saved = numpy.random.get_state()
    return lambda: numpy.random.set_state(saved)


def _gradients(optimizer: torch.optim.Optimizer, host: bool) -> Callable[[], None]:
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    saved = [(p, p.grad, None if p.grad is None else _held(p.grad, host)) for p in parameters]

    @torch.no_grad()
    def put_back() -> None:
        for parameter, gradient, before in saved:
            if gradient is not None and before is not None:
                part(gradient).copy_(before)
            parameter.grad = gradient

    return put_back


def _held(tensor: Tensor, host: bool) -> Tensor:
    own = part(tensor).detach()
    return own.to("cpu", copy=True) if host else own.clone()


def _passing_buffers(model: nn.Module) -> Callable[[], None]:
    """Those that no checkpoint holds."""
    kept = {id(value) for value in model.state_dict(keep_vars=True).values()}
    saved = [(buffer, part(buffer).clone()) for buffer in model.buffers() if id(buffer) not in kept]

    @torch.no_grad()
    def put_back() -> None:
        for buffer, before in saved:
            part(buffer).copy_(before)

    return put_back
