"""A copy annealed beside the run (PROTOCOL.md §6, `branch`): how a job does it, in turn or in a second process.

In turn: the job's own step is taken so many times at a falling rate, the copy is scored and kept, and the run goes on from
where it was. Beside: a file says which rates a second process is to take from the job's own checkpoint; it tells its held-out
loss by a file beside that one.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from .plan import Segment, Shape

FAILURE_MAX = 1000


@dataclass(frozen=True)
class Anneal:
    """`steps` updates, the rate falling from `learning_rate` to 0; `from_step`: updates that the run had taken. `loss`: held-out,
    once it is known."""

    name: str
    from_step: int
    steps: int
    shape: Shape
    learning_rate: float
    momentum: float | None = None
    loss: float | None = None

    def rate(self, k: int) -> float:
        """Of the copy's step k, from 0, for the first parameter group."""
        return Segment(0, self.steps, self.shape, self.learning_rate, 0.0).rate(k)

    @property
    def stem(self) -> str:
        """What its files are called by."""
        return f"{re.sub(r'[^A-Za-z0-9-]', '-', self.name)}-step-{self.from_step}"


@dataclass(frozen=True)
class Handover:
    """What a second process needs to know; `path`: the file that says it, for `twostep.read_branch`."""

    path: Path
    anneal: Anneal

    @property
    def steps(self) -> int:
        return self.anneal.steps

    def rate(self, k: int) -> float:
        return self.anneal.rate(k)

    def report(self, loss: float) -> None:
        """The copy is annealed: its loss, on the examples that the job itself evaluates."""
        self._answer({"loss": float(loss) if math.isfinite(loss) else str(float(loss))})

    def fail(self, reason: str) -> None:
        self._answer({"failure": reason[:FAILURE_MAX]})

    def _answer(self, answer: dict[str, Any]) -> None:
        write_whole(answer_path(self.path), answer)


@dataclass(frozen=True)
class Branch:
    """How a job anneals copies: by `step`, in turn, or `beside`.

    `step()` takes one optimizer step of the job: the next batch, backward, `optimizer.step()`. `keep(model, anneal)` is called with
    the annealed copy, in evaluation mode; or a folder, into which its weights are written. `beside(handover)`: saves a checkpoint
    of the job's own and starts a second process with `handover.path`; it returns at once, best what it has started
    (`subprocess.Popen`), so that one that ends without a word is noticed. `folder`: where the files of `beside` lie.
    """

    step: Callable[[], Any] | None = None
    keep: Callable[[Any, Anneal], Any] | str | os.PathLike[str] | None = None
    beside: Callable[[Handover], Any] | None = None
    folder: str | os.PathLike[str] = "twostep-branches"

    def __post_init__(self) -> None:
        if (self.step is None) == (self.beside is None):
            raise ValueError("Branch takes either step= (in turn) or beside= (a second process)")
        for name in ("step", "beside"):
            given = getattr(self, name)
            if given is not None and not callable(given):
                raise TypeError(f"Branch: {name} must be a function, got {given!r}")


class Process(Protocol):
    def poll(self) -> int | None: ...


class Beside:
    """A copy in a second process, from the run's side."""

    def __init__(self, handover: Handover, started: Any) -> None:
        self.anneal = handover.anneal
        self._answer = answer_path(handover.path)
        self._process: Process | None = started if callable(getattr(started, "poll", None)) else None
        self._status: int | None = None

    def poll(self) -> Anneal | None:
        """With its loss, once it is done; None = not yet. Raises RuntimeError where it has failed."""
        answer = self._read()
        if answer is not None and "failure" in answer:
            raise RuntimeError(str(answer["failure"]))
        if answer is not None:
            return replace(self.anneal, loss=float(answer["loss"]))
        if self._status is not None:
            raise RuntimeError(f"the second process ended with {self._status} and reported no loss")
        # One that has ended since may have written its answer since, too: it is looked for once more.
        self._status = None if self._process is None else self._process.poll()
        return None

    def _read(self) -> dict[str, Any] | None:
        try:
            answer = json.loads(self._answer.read_text())
        except FileNotFoundError:
            return None
        return answer if isinstance(answer, dict) else {"failure": f"{self._answer} holds no answer"}


def hand_over(branch: Branch, anneal: Anneal) -> Beside:
    """Writes the file and starts the second process. Of several processes of a job each writes the same."""
    assert branch.beside is not None
    folder = Path(branch.folder).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    handover = Handover(folder / f"{anneal.stem}.json", anneal)
    answer_path(handover.path).unlink(missing_ok=True)
    write_whole(
        handover.path,
        {
            "name": anneal.name,
            "fromStep": anneal.from_step,
            "steps": anneal.steps,
            "shape": anneal.shape,
            "learningRate": anneal.learning_rate,
            "momentum": anneal.momentum,
            "answer": str(answer_path(handover.path)),
        },
    )
    return Beside(handover, branch.beside(handover))


def read_branch(path: str | os.PathLike[str]) -> Handover:
    """In the second process: what it is to do. Raises OSError or ValueError where the file does not say it."""
    place = Path(path).absolute()
    told = json.loads(place.read_text())
    try:
        anneal = Anneal(
            str(told["name"]),
            int(told["fromStep"]),
            int(told["steps"]),
            told["shape"],
            float(told["learningRate"]),
            told["momentum"],
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"{place} does not describe a branch: {error!r}") from error
    return Handover(place, anneal)


def answer_path(path: Path) -> Path:
    return path.with_suffix(".answer.json")


def write_whole(path: Path, document: dict[str, Any]) -> None:
    """Whoever reads it finds all of it, or nothing."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(json.dumps(document, allow_nan=False))
    os.replace(part, path)


class Branching:
    """What a run knows of its copies: whether one is at work in this process, and which one in another."""

    def __init__(self) -> None:
        self.is_on = False
        self._beside: tuple[str, int, Beside] | None = None

    @contextmanager
    def at_work(self) -> Any:
        self.is_on = True
        try:
            yield
        finally:
            self.is_on = False

    def await_it(self, action: str, steps: int, beside: Beside) -> None:
        self._beside = action, steps, beside

    def ended(self, asked: set[str], step: int) -> dict[str, Any] | None:
        """The acknowledgement of a copy in a second process, once that has ended; of one that is not asked for any more none."""
        if self._beside is None:
            return None
        action, steps, beside = self._beside
        if action not in asked:
            self._beside = None
            return None
        acknowledgement = {"actionId": action, "status": "done", "step": step, "detail": ""}
        try:
            anneal = beside.poll()
        except Exception as error:  # noqa: BLE001 whatever goes wrong is the answer
            self._beside = None
            return {**acknowledgement, "status": "failed", "detail": f"{error}"[:FAILURE_MAX]}
        if anneal is None:
            return None
        self._beside = None
        return {**acknowledgement, "branch": told(anneal, steps)}


def told(anneal: Anneal, steps: int) -> dict[str, Any]:
    """As an acknowledgement tells it, in steps of the run."""
    return {"fromStep": anneal.from_step, "steps": steps, "loss": anneal.loss}
