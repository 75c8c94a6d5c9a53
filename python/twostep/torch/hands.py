"""Applies rates to an optimizer and measures on its model (hands.py says what)."""

from __future__ import annotations

import logging
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from ..blocks import WINDOWS
from ..branch import Anneal, Beside, Branch, hand_over
from ..hands import Capability, Unsupported
from ..score import scored
from .aside import annealed, aside
from .averages import Averages
from .later import later
from .noise import ADAM, StepWatch
from .normalisation import Normalisation
from .rates import Rates
from .shards import are_flattened, forget_gathered, is_split, part, parts
from .states import States
from .together import is_one_of_many

log = logging.getLogger("twostep")

Evaluate = Callable[[nn.Module], Any]


class TorchHands:
    framework = f"pytorch {torch.__version__}"

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        evaluate: Evaluate | None = None,
        *,
        evaluate_all: Evaluate | None = None,
        examples: int | None = None,
        batch_size: int | None = None,
        micro_batches: int = 1,
        data: Any = None,
        scaler: Any = None,
        checkpoints: bool = True,
        host: bool = True,
        host_averages: bool = False,
        branch: Branch | None = None,
    ) -> None:
        forget_gathered(model)
        is_flattened = are_flattened(model.parameters())
        if is_flattened:
            log.warning(
                "twostep: nothing is measured on a model in the classic FullyShardedDataParallel, and no state kept; use fully_shard"
            )
            evaluate, evaluate_all, checkpoints = None, None, False
            branch = None if branch is None or branch.step is not None else branch
        self._model = model
        self._optimizer = optimizer
        self._evaluate = evaluate
        self._evaluate_all = evaluate_all or evaluate
        self._examples = examples
        self._batch_size = batch_size
        self._micro_batches = micro_batches
        self._rates = Rates(optimizer)
        self.initial_rate = self._rates.initial if self._rates.initial > 0 else None
        self.optimizer = _described(optimizer)
        self._parameters = [p for p in model.parameters() if p.requires_grad]
        self._normalisation = Normalisation(model)
        self._averages = None if evaluate is None else Averages(self._parameters, host_averages)
        is_whole = not is_flattened and not any(is_split(p) for p in self._parameters)
        self._watch = StepWatch(optimizer, micro_batches, scaler, has_whole_gradients=is_whole)
        self._states = States(model, optimizer, host, data, scaler)
        self._host = host
        self._branch = branch
        able: list[Capability] = [] if branch is None else ["branch"]
        if evaluate is not None:
            able += ["heldOutLoss", "averagedWeights"]
        if checkpoints:
            able.append("checkpoint")
        if checkpoints and data is not None:
            able.append("rewind")
        # Among several processes each has only its own part of the batch when its gradients come.
        if micro_batches >= 2 and batch_size is not None and is_whole and not is_one_of_many():
            able.append("microBatchNorms")
        self.capabilities: tuple[Capability, ...] = tuple(able)

    @property
    def memory_bytes(self) -> int:
        """The most that averages and states may take, on device and host together; of a split model in this process. While a probe is made the present
        weights and a window are held besides, while a state is replaced the new one."""
        weights = self._model.state_dict().values()
        state = (value for entry in self._optimizer.state.values() for value in entry.values())
        held = sum(t.numel() * t.element_size() for t in parts(weights))
        held += sum(v.numel() * v.element_size() for v in parts(v for v in state if isinstance(v, Tensor)))
        averages = 0 if self._averages is None else self._averages.memory_bytes
        count = 5 if "checkpoint" in self.capabilities else 0
        return averages + held * (count + (self._branch is not None and self._branch.step is not None))

    def apply(self, rate: float, momentum: float | None) -> None:
        self._rates.write(rate)

    def number(self, value: Any) -> Any:
        if isinstance(value, Tensor):
            is_plain = type(value) is Tensor and value.is_cpu
            return float(value.item()) if is_plain else later(value)
        return None if value is None else float(value)

    def columns(self, step: int, micro_batch: int | None) -> dict[str, Any]:
        if micro_batch is not None and "microBatchNorms" not in self.capabilities:
            micro_batch = None
        columns = self._watch.take(step + 1, micro_batch)
        if self._batch_size is not None:
            columns["batchSize"] = self._batch_size
            if "microGradientNormSquared" in columns:
                columns["microBatchSize"] = self._batch_size // self._micro_batches
        return columns

    def average(self, block: int | None) -> None:
        if self._averages is not None:
            self._averages.add(block)

    # ---- scores

    def valley(self, windows: str, checkpoints: list[str] | None) -> dict[str, Any]:
        evaluate = self._evaluate if checkpoints is None else self._evaluate_all
        if evaluate is None or self._averages is None:
            raise Unsupported("nothing was given to evaluate with")
        if not self._normalisation.is_ready:
            raise Unsupported(
                "the model has seen no training batch yet, so its normalisation has no statistics"
            )
        probe: dict[str, Any] = {}
        with self._undisturbed(), _Examples(self._model) as seen:
            probe["raw"] = self._score(evaluate)
            probe["examples"] = probe["raw"].pop("examples", None) or self._examples or seen.count or 1
            probe["averaged"] = []
            for count in self._averages.windows(windows):
                window = self._averages.mean(count)
                if window is not None:
                    self._load(window[1])
                    probe["averaged"].append({"windowSteps": window[0], **self._score(evaluate)})
            if checkpoints is not None:
                probe["checkpoints"] = [self._scored(name, evaluate) for name in checkpoints]
        for score in (*probe["averaged"], *probe.get("checkpoints", ())):
            score.pop("examples", None)
        probe["examples"] = max(1, int(probe["examples"]))
        return probe

    @contextmanager
    def _undisturbed(self) -> Iterator[None]:
        """Training finds weights, statistics, modes and random numbers as it has left them."""
        present = self._copied()
        devices = {p.device.index or 0 for p in self._parameters if p.device.type == "cuda"}
        numpy = sys.modules.get("numpy")
        python, arrays = random.getstate(), None if numpy is None else numpy.random.get_state()
        try:
            with (
                torch.random.fork_rng(devices=sorted(devices)),
                self._normalisation.same_modes(),
                self._normalisation.untouched(),
            ):
                yield
        finally:
            self._load(present)
            random.setstate(python)
            if numpy is not None:
                numpy.random.set_state(arrays)

    def _score(self, evaluate: Evaluate) -> dict[str, Any]:
        self._normalisation.recompute()
        self._model.eval()
        with torch.no_grad():
            return scored(evaluate(self._model))

    def _scored(self, name: str, evaluate: Evaluate) -> dict[str, Any]:
        weights = self._states.weights(name)
        own = {key: weights[key] for key, _ in self._model.named_parameters()}
        self._load([own[key] for key, p in self._model.named_parameters() if p.requires_grad])
        return {"checkpoint": name, **self._score(evaluate)}

    def _copied(self) -> list[Tensor]:
        return [part(p).detach().clone() for p in self._parameters]

    @torch.no_grad()
    def _load(self, weights: Sequence[Tensor]) -> None:
        forget_gathered(self._model)
        for parameter, value in zip(self._parameters, weights, strict=True):
            part(parameter).copy_(value)

    def line(self) -> dict[str, Any]:
        raise Unsupported("line probes are not made by this client")

    # ---- states

    def keep(self, name: str, averaged: bool) -> None:
        mean = self._averages.mean(max(WINDOWS)) if averaged and self._averages is not None else None
        if mean is None:
            self._states.keep(name)
            return
        present = self._copied()
        try:
            self._load(mean[1])
            self._states.keep(name)
        finally:
            self._load(present)

    def restore(self, name: str, rewind: bool, skip_batches: int) -> None:
        # Batches are left out by not going back to them: the data goes on where it is.
        self._states.restore(name, rewind and skip_batches == 0)
        if self._averages is not None:
            self._averages.begin_anew()

    def drop(self, name: str) -> None:
        self._states.drop(name)

    def branch(self, anneal: Anneal, beat: Callable[[], None]) -> Anneal | Beside:
        branch, evaluate = self._branch, self._evaluate
        if branch is None:
            raise Unsupported("nothing was given to anneal a copy with")
        if branch.step is None:
            return hand_over(branch, anneal)

        def score() -> float | None:
            return None if evaluate is None else float(self._score(evaluate)["loss"])

        put_aside = aside(
            model=self._model,
            optimizer=self._optimizer,
            states=self._states,
            watch=self._watch,
            normalisation=self._normalisation,
            host=self._host,
        )
        model, write_rate = self._model, self._rates.write
        with put_aside:
            return annealed(branch, anneal, model=model, write_rate=write_rate, score=score, beat=beat)

    def finish(self, keep: str, checkpoint: str | None) -> None:
        if keep == "checkpoint":
            self._states.load(self._states.weights(str(checkpoint)))
        elif keep == "averaged" and self._averages is not None:
            newest = self._averages.mean(1)
            if newest is not None:
                self._load(newest[1])
        if keep != "last" and self._normalisation.is_needed:
            with self._normalisation.same_modes():
                self._normalisation.recompute()

    def close(self) -> None:
        """No hook of ours stays on model and optimizer, and nothing is kept in memory."""
        self._watch.close()
        self._normalisation.close()
        self._states.close()
        if self._averages is not None:
            self._averages.begin_anew()


class _Examples:
    """Counts the examples that pass through a model, by the first dimension of its first tensor."""

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        self.count = 0

    def _seen(self, _module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        for value in (*args, *kwargs.values()):
            if isinstance(value, Tensor) and value.ndim > 0:
                self.count += len(value)
                return

    def __enter__(self) -> _Examples:  # noqa: PYI034 typing.Self is of Python 3.11
        self._hook = self._model.register_forward_pre_hook(self._seen, with_kwargs=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._hook.remove()


def watch(
    run: Any,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    evaluate: Evaluate | None = None,
    **more: Any,
) -> None:
    """Lets a run apply its rates to an optimizer and measure on its model. Before the first step.

    `evaluate(model)`: mean loss over a fixed set of 512 to 2,000 held-out examples, the same loss as in training, without
    augmentation; called in evaluation mode without gradients. It answers a number, a list of 4 to 32 means over fixed equal
    parts, or `{"loss", "accuracy", "lossByPart", "examples"}`. `evaluate_all(model)`: the same over all held-out examples,
    asked for once at the end. `examples`: how many `evaluate` looks at. `batch_size`: examples in a step's batch.
    `micro_batches`: backward passes per optimizer step; from 2 on gradient noise is measured. `data`: the data order, with
    `state_dict` and `load_state_dict` that take effect at the next batch; without it rates are compared on different batches.
    `scaler`: a GradScaler. `checkpoints=False`: keep no states (no race for the rate, no way back). `host`: states lie in host
    memory (else on the device). `host_averages`: so do the means. `branch`: how copies are annealed beside the run
    (`twostep.Branch`), where a person asks for one.
    """
    hands = TorchHands(model, optimizer, evaluate, **more)
    run.take(hands)


def _described(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    group = optimizer.param_groups[0]
    name = type(optimizer).__name__
    momentum = group.get("momentum", group.get("betas", (None,))[0])
    described: dict[str, Any] = {"name": name[:128]}
    if momentum is not None and 0 <= float(momentum) < 1:
        described["momentum"] = float(momentum)
    decay = group.get("weight_decay")
    if decay is not None and float(decay) >= 0:
        described["weightDecay"] = float(decay)
    if name in ADAM:
        described["family"] = "adam"
    return described
