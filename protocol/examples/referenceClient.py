"""A whole client of the wire in one file: what PROTOCOL.md asks of a training job, with a small training inside.

Only the standard library. Three layers that can be read apart: the plan and the tripwire (pure functions), the
`Reporter` (a thread that delivers each batch exactly once), and the `Job` (the loop of PROTOCOL.md's first page).
`python3 referenceClient.py --server http://127.0.0.1:7390 --steps 2500 --json`, or `--check .`.
"""
from __future__ import annotations

import argparse, gzip, http.client, json, math, os, random, sys, threading, time, urllib.error, urllib.request
from collections import deque
from operator import mul
from pathlib import Path
from typing import Any

Json, Vector = dict[str, Any], list[float]
Example = tuple[Vector, int]
CAPABILITIES = ["heldOutLoss", "averagedWeights", "checkpoint", "rewind", "microBatchNorms", "lineProbe", "momentum"]
BATCH, MICRO, HELD_OUT, PARTS, MOMENTUM, OWN_RATE = 256, 64, 512, 16, 0.9, 0.03
TOKEN = os.environ.get("TWOSTEP_TOKEN", "")


# ---- the plan (§4) and the tripwire (§5) ----------------------------------------------------------------------------
def check_plan(plan: Json) -> None:
    """Raises ValueError where a plan cannot be followed."""
    end, segments = None, plan["segments"]
    if not segments:
        raise ValueError("plan.segments must hold at least one segment, got none")
    for at, s in ((f"plan.segments[{i}]", s) for i, s in enumerate(segments)):
        start, stop, first, last = s["fromStep"], s["toStep"], s["from"], s["to"]
        if type(stop) is not int or stop <= start:
            raise ValueError(f"{at}.toStep must be a whole number above fromStep {start}, got {stop}")
        if end not in (None, start):
            raise ValueError(f"{at}.fromStep must be {end}, the end of the segment before it, got {start}")
        for key, rate in (("from", first), ("to", last)):
            if not (math.isfinite(rate) and (rate > 0 or rate == 0 and s["shape"] != "exponential")):
                raise ValueError(f"{at}.{key} must be a finite rate {'above 0' if rate == 0 else '>= 0'}, got {rate}")
        if s["shape"] == "constant" and first != last:
            raise ValueError(f"{at}.to must equal from {first} in a constant segment, got {last}")
        if s["shape"] not in ("constant", "linear", "cosine", "oneMinusSqrt", "exponential"):
            raise ValueError(f"{at}.shape is unknown: {s['shape']}")
        end = stop


def segment_at(plan: Json, step: int) -> Json:
    """The segment in force: the first one before the plan, the last one after it."""
    return next((s for s in plan["segments"] if step < s["toStep"]), plan["segments"][-1])


def rate_at(plan: Json, step: int) -> float:
    """The planned learning rate of a step."""
    s = segment_at(plan, step)
    first, last, shape = float(s["from"]), float(s["to"]), s["shape"]
    z = (step - s["fromStep"]) / (s["toStep"] - s["fromStep"])
    if z <= 0 or z >= 1 or shape == "constant":
        return last if z >= 1 else first
    if shape == "exponential":
        return first * (last / first) ** z
    gone = {"linear": z, "cosine": (1 - math.cos(math.pi * z)) / 2, "oneMinusSqrt": math.sqrt(z)}[shape]
    return first * (1 - gone) + last * gone


def own_plan(first: int, steps: int) -> Json:
    """What the job does where nobody steers it: its rate for 75 % of the steps, then linear to 0."""
    turn = first + max(1, int(0.75 * steps + 0.5))
    parts = [(first, turn, "constant", OWN_RATE, OWN_RATE), (turn, first + steps, "linear", OWN_RATE, 0)]
    return {"version": 0, "segments": [dict(zip(("fromStep", "toStep", "shape", "from", "to"), p)) for p in parts]}


def trips(wire: Json | None, smoothed: float | None, norm: float | None, bad: int) -> bool:
    """Whether what is known after a step trips the wire."""
    over = lambda limit, value: limit is not None and value is not None and value > limit
    return wire is not None and (bad >= 5 or over(wire["lossAbove"], smoothed) or over(wire["gradientNormAbove"], norm))


class Tripwire:
    """The memory of the tripwire: smoothed loss, non-finite losses in a row, and whether it has tripped."""
    def __init__(self) -> None:
        self.smoothed: float | None = None
        self.bad, self.tripped = 0, False

    def watch(self, wire: Json | None, loss: float, norm_squared: float | None) -> bool:
        """Looks at one step; True when it trips now."""
        self.bad = 0 if math.isfinite(loss) else self.bad + 1
        if math.isfinite(loss):
            self.smoothed = loss if self.smoothed is None else self.smoothed + (loss - self.smoothed) / 10
        norm = None if norm_squared is None else math.sqrt(norm_squared)
        before, self.tripped = self.tripped, self.tripped or trips(wire, self.smoothed, norm, self.bad)
        return self.tripped and not before


# ---- reporting (§1 to §3) -------------------------------------------------------------------------------------------
def wire_number(x: Any) -> Any:
    """Nine digits; what JSON has no number for travels as a text."""
    if not isinstance(x, float):
        return x
    return float(f"{x:.9g}") if math.isfinite(x) else "NaN" if math.isnan(x) else "Infinity" if x > 0 else "-Infinity"


class Reporter(threading.Thread):
    """Makes the run, and delivers what the job notes, in order, each batch exactly once."""
    def __init__(self, server: str, options: Json) -> None:
        super().__init__(daemon=True)
        self.root, self.options, self.run_id = server.rstrip("/") + "/api/v1/runs", options, options["runId"]
        self.client, self.sequence = f"client-{os.getpid()}-{time.time_ns():x}", 1
        self.events: deque[tuple[str, int | None, Any]] = deque()  # not delivered yet, oldest first: the spool
        self.sealed: tuple[Json, int] | None = None  # the batch under way, and how many events it took
        self.room, self.most, self.state = threading.Condition(), 1000, "new"  # new, open, silent (refused for good)
        self.noted = self.delivered = self.posts = self.refused = self.duplicates = self.dropped = self.failures = 0
        self.answer: Json | None = None
        self.farewell: str | None = None
        self.urgent = self.closing = False

    def note(self, kind: str, value: Any, version: int | None = None, urgent: bool = False) -> None:
        """Notes one entry of `steps`, `probes` or `acknowledgements`, or an `ask` for news."""
        with self.room:
            if kind == "steps" and len(self.events) >= 200_000:
                self.dropped += 1  # no room, and the server is away: the newest go
                return
            self.events.append((kind, version, value))
            self.noted, self.urgent = self.noted + 1, self.urgent or urgent
            self.room.notify_all()

    def unsent(self) -> list[tuple[str, int | None, Any]]:
        """What was noted and is not known to be stored, oldest first."""
        with self.room:
            return [event for event in self.events if event[0] != "ask"]

    def flush(self, seconds: float) -> bool:
        """Sends all there is, or asks for news, and waits; False if no answer came in time."""
        if self.noted == self.delivered:
            self.note("ask", None)
        with self.room:
            self.urgent, goal = True, self.noted
            self.room.notify_all()
            return self.room.wait_for(lambda: self.delivered >= goal or self.state == "silent", seconds)

    def take(self) -> Json | None:
        """The newest answer that was not taken yet."""
        with self.room:
            answer, self.answer = self.answer, None
            return answer

    def close(self, farewell: str | None, seconds: float) -> None:
        """Delivers the rest; a farewell is why the job has stopped by itself."""
        with self.room:
            self.farewell, self.closing = farewell, True
            self.room.notify_all()
        self.join(seconds)

    def call(self, method: str, path: str, body: Json | None = None) -> tuple[int, Json, float]:
        """One request: status (0 = no answer), document, and after how many seconds it may be tried again."""
        data = None if body is None else gzip.compress(json.dumps(body, allow_nan=False).encode())
        head = {} if data is None else {"Content-Type": "application/json", "Content-Encoding": "gzip"}
        if TOKEN:
            head["Authorization"] = f"Bearer {TOKEN}"
        try:
            request = urllib.request.Request(self.root + path, data, head, method=method)
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    return answer.status, json.loads(answer.read()), 0
            except urllib.error.HTTPError as error:
                wait, text = error.headers.get("Retry-After", ""), error.read()
                return error.code, json.loads(text) if text[:1] == b"{" else {}, float(wait) if wait.isdigit() else 0
        except (OSError, ValueError, http.client.HTTPException):
            return 0, {}, 0

    def run(self) -> None:
        """Every 20 steps or every second, and at once where it is urgent: one request at a time."""
        while self.state != "silent":
            with self.room:
                if self.state == "open" and not self.sealed:
                    self.room.wait_for(lambda: self.urgent or self.closing or len(self.events) >= 20, 1)
                    self.urgent, self.sealed = False, self.seal() if self.events else None
            if self.state == "new":
                time.sleep(self.heed("create", *self.call("POST", "", self.options)))
            elif self.sealed:
                self.posts += 1
                time.sleep(self.heed("telemetry", *self.call("POST", f"/{self.run_id}/telemetry", self.sealed[0])))
            elif self.closing:
                break
        if self.farewell and self.state == "open":
            self.call("POST", f"/{self.run_id}/commands", {"kind": "finish", "reason": self.farewell})

    def seal(self) -> tuple[Json, int]:
        """A batch of the oldest events: steps of one plan, and nothing that was measured after a restore."""
        batch: Json = {"clientId": self.client, "sequence": self.sequence, "objective": "cross-entropy"}
        rows, taken = [], 0
        for kind, version, value in self.events:
            if taken >= self.most or (kind == "steps" and rows and version != batch["planVersion"]):
                break
            taken += 1
            if kind == "steps":
                batch["planVersion"] = version
                rows.append(value)
            elif kind != "ask":
                batch.setdefault(kind, []).append({k: v for k, v in value.items() if k != "closes"})
                if value.get("closes"):
                    break
        if rows:
            names = dict.fromkeys(name for row in rows for name in row)
            batch["steps"] = {name: [wire_number(row.get(name)) for row in rows] for name in names}
        return batch, taken

    def heed(self, what: str, status: int, doc: Json, after: float) -> float:
        """Does what a status asks for; answers how long to wait before the next request."""
        with self.room:
            self.room.notify_all()
            if status in (0, 429) or status >= 500:  # the same again, later and later
                self.failures += 1
                return max(after, min(30, 0.1 * 2 ** min(self.failures, 9)))
            self.failures, sealed, self.sealed = 0, self.sealed, None
            if what == "create" and status in (200, 201):
                self.state, self.sequence = "open", doc["nextSequence"].get(self.client, 1)
                self.answer = doc | {"fresh": status == 201, "phase": doc["run"]["phase"]}
            elif status == 200:
                self.sequence, self.answer = doc["nextSequence"], doc
                self.duplicates += doc["duplicate"]
                self.delivered += sealed[1]
                for _ in range(sealed[1]):
                    self.events.popleft()
            else:  # nothing was stored: the same events are sealed anew, as the code asks for
                self.refused += 1
                code = doc.get("code")
                if code == "sequence-gap":
                    self.sequence = doc["expectedSequence"]
                elif code == "sequence-reused":
                    self.client, self.sequence = f"client-{os.getpid()}-{time.time_ns():x}", 1
                elif code == "run-not-found" and what == "telemetry":
                    self.state, self.options["resume"] = "new", "allow"
                elif code == "body-too-large" and self.most > 1:
                    self.most //= 2
                else:
                    self.state = "silent"
                    print(f"no more is reported: {status} {code}: {doc.get('detail')}", file=sys.stderr)
            return 0


# ---- the training: softmax regression with wrong labels among the right ones ----------------------------------------
def dot(a: Vector, b: Vector) -> float:
    return sum(map(mul, a, b))


def along(a: Vector, b: Vector, factor: float) -> Vector:
    return [x + factor * y for x, y in zip(a, b)]


class Problem:
    """Examples, and the model: weights are one flat list, a row of inputs (the last one 1) per class."""
    def __init__(self, seed: int, inputs: int = 12, classes: int = 4) -> None:
        self.width, self.size, self.seed, draw = inputs + 1, classes * (inputs + 1), seed, random.Random(seed)
        truth = [[draw.gauss(0, 1) for _ in range(self.width)] for _ in range(classes)]

        def example() -> Example:
            x = [draw.gauss(0, 1) / (1 + i / 4) for i in range(inputs)] + [1.0]
            best = max(range(classes), key=lambda c: dot(truth[c], x))
            return x, best if draw.random() > 0.15 else draw.randrange(classes)
        self.training, self.held_out = ([example() for _ in range(4096)] for _ in "ab")

    def batch(self, number: int) -> list[Example]:
        """The batch of that number: one number is the whole place in the data."""
        epoch, place = divmod(number * BATCH, len(self.training))
        if place == 0 or getattr(self, "epoch", None) != epoch:
            self.epoch, self.order = epoch, self.training[:]
            random.Random(f"{self.seed} {epoch}").shuffle(self.order)
        return self.order[place:place + BATCH]

    def losses(self, w: Vector, batch: list[Example]) -> tuple[Vector, list[Vector]]:
        """Loss of each example, and its slope by each class's score."""
        rows, losses, slopes = [w[i:i + self.width] for i in range(0, len(w), self.width)], [], []
        for x, label in batch:
            z = [dot(row, x) for row in rows]
            top = max(z)
            e = [math.exp(v - top) for v in z]
            total = sum(e)
            losses.append(math.log(total) + top - z[label])
            slopes.append([v / total - (c == label) for c, v in enumerate(e)])
        return losses, slopes

    def loss(self, w: Vector, batch: list[Example]) -> float:
        return sum(self.losses(w, batch)[0]) / len(batch)

    def gradient(self, w: Vector, batch: list[Example]) -> tuple[float, Vector]:
        """Mean loss and mean gradient."""
        losses, slopes = self.losses(w, batch)
        inputs = list(zip(*(x for x, _ in batch)))
        return sum(losses) / len(batch), [dot(s, x) / len(batch) for s in zip(*slopes) for x in inputs]

    def score(self, w: Vector, batch: list[Example]) -> Json:
        """A score of a valley probe."""
        losses, size = self.losses(w, batch)[0], len(batch) // PARTS
        parts = [wire_number(sum(losses[i:i + size]) / size) for i in range(0, len(batch), size)]
        return {"loss": wire_number(sum(losses) / len(batch)), "lossByPart": parts}


class Averages:
    """Running means of the weights per block of updates; the last four finished blocks are kept (§7)."""
    def __init__(self) -> None:
        self.length = self.filled = self.samples = 0
        self.total: Vector = []
        self.blocks: deque[tuple[int, int, Vector]] = deque(maxlen=4)  # updates, samples, sum of the samples

    def end_block(self, keep: bool) -> None:
        if keep and self.samples:
            self.blocks.append((self.filled, self.samples, self.total))
        self.filled = self.samples = 0

    def add(self, w: Vector, length: int) -> None:
        """Takes the weights after an update."""
        if length != self.length:
            self.end_block(2 * self.filled >= self.length)
        self.length, self.filled = length, self.filled + 1
        if length < 8 or (length - self.filled) % 4 == 0:
            self.total, self.samples = along(self.total, w, 1) if self.samples else w[:], self.samples + 1
        if self.filled == length:
            self.end_block(True)

    def mean(self, count: int) -> tuple[int, Vector] | None:
        """Updates and mean of the newest blocks; None if there is none."""
        newest = list(self.blocks)[-count:]
        samples = sum(b[1] for b in newest)
        return (sum(b[0] for b in newest), [sum(x) / samples for x in zip(*(b[2] for b in newest))]) if newest else None


# ---- the job: the loop of PROTOCOL.md's first page -------------------------------------------------------------------
class Job:
    """Trains, follows the plan, does what it is asked for, and notes what it sees."""
    def __init__(self, args: argparse.Namespace) -> None:
        self.args, self.problem, self.draw = args, Problem(args.seed), random.Random(f"job {args.seed}")
        self.offered, self.end = [] if args.only_loss else CAPABILITIES, args.first_step + args.steps
        self.steered, self.own = args.mode in ("auto", "approve"), own_plan(args.first_step, args.steps)
        self.weights, self.buffer = [0.0] * self.problem.size, [0.0] * self.problem.size
        self.mu, self.cursor, self.k = MOMENTUM, 0, args.first_step
        self.begin_anew(0)
        unsent: list[Any] = []
        if args.resume and args.state and args.state.exists():
            kept, unsent = json.loads(args.state.read_text())
            self.k, self.weights, self.buffer, self.mu, self.cursor, self.restored_at = kept
        self.plan, self.actions, self.done = self.own, [], set()
        self.paused, self.over, self.keep, self.awaited, self.valley_at, self.critical = 0.0, False, None, -1, -1, 0.0
        self.saved: dict[str, tuple[Vector, Vector, float, int, Any]] = {}
        options = {"runId": args.run_id, "resume": "must" if args.resume else "allow", "project": "reference",
                   "mode": args.mode, "optimizer": {"name": "sgd", "momentum": MOMENTUM}, "capabilities": self.offered}
        # Above the first step a budget is where the counter ends; of one that begins at 0 or 1 it is the steps as well.
        total = self.end if args.first_step > 1 else args.steps
        budget = {"budgetSteps": None if args.no_budget else total, "firstStep": args.first_step}
        self.reporter = Reporter(args.server, options if args.resume else options | budget)
        for kind, version, value in unsent:
            self.reporter.note(kind, value, version)

    def begin_anew(self, k: int) -> None:
        """What a restore ends: averages, the tripwire's memory, the count of the cadence, the last update."""
        self.averages, self.wire, self.restored_at, self.last = Averages(), Tripwire(), k, None

    def hear(self) -> None:
        """Takes the newest answer: its plan unless that is older, and all its actions."""
        answer = self.reporter.take()
        if answer is None:
            return
        if answer.get("fresh"):  # a new run: its versions and ids begin anew
            self.plan, self.done = self.own, set()
        try:
            check_plan(answer["plan"])
            self.plan = answer["plan"] if answer["plan"]["version"] >= self.plan["version"] else self.plan
        except ValueError as error:
            print(f"the plan is kept: {error}", file=sys.stderr)
        self.actions, self.wire.tripped = answer["actions"], False
        self.over = answer["phase"] == "done" and not self.actions

    def carry_out(self) -> bool:
        """Does the actions that are due, each once; whether there were any."""
        due = [a for a in self.actions if a["atStep"] <= self.k and a["id"] not in self.done]
        for action in sorted(due, key=lambda a: a["atStep"]):
            try:
                status, detail = self.act(action), ""
            except KeyError as error:
                status, detail = "failed", f"there is no {error}"
            self.done.add(action["id"])
            self.reporter.note("acknowledgements", {"actionId": action["id"], "status": status, "step": self.k,
                                                    "detail": detail, "closes": action["kind"] == "restore"})
        return bool(due)

    def act(self, action: Json) -> str:
        """Does one action and answers its status; KeyError where a checkpoint does not exist."""
        kind, name = action["kind"], action.get("checkpoint")
        if kind == "checkpoint":
            mean = self.averages.mean(4) if action.get("weights") == "averaged" else None
            weights = mean[1] if mean else self.weights
            self.saved[name] = weights[:], self.buffer[:], self.mu, self.cursor, self.draw.getstate()
        elif kind == "restore":
            weights, buffer, self.mu, cursor, drawn = self.saved[name]
            self.weights, self.buffer = weights[:], buffer[:]
            if action["rewindData"]:
                self.cursor = cursor
                self.draw.setstate(drawn)
            self.cursor += action["skipBatches"]
            self.begin_anew(self.k)
        elif kind == "drop":
            self.saved.pop(name, None)
        elif kind == "probe" and action["probe"] in ("valley", "line"):
            self.line() if action["probe"] == "line" else self.valley((1, 2, 4), action.get("checkpoints"))
        elif kind in ("pause", "resume"):
            self.paused = time.monotonic() if kind == "pause" else 0.0
        elif kind == "finish":
            keep = self.keep = action["keep"]
            if keep != "last":
                mean = (self.averages.mean(1) or (0, self.weights))[1] if keep == "averaged" else None
                self.weights = mean or self.saved[keep["checkpoint"]][0]
        else:
            return "unsupported"
        return "done"

    def valley(self, windows: tuple[int, ...], checkpoints: list[str] | None = None) -> None:
        """Held-out losses of the weights and their averages; with checkpoints over every held-out example there is."""
        began, held_out = time.perf_counter(), self.problem.held_out[:None if checkpoints else HELD_OUT]
        score = lambda w: self.problem.score(w, held_out)
        means = [self.averages.mean(n) for n in windows if n <= len(self.averages.blocks)]
        probe = {"kind": "valley", "step": self.k, "set": "held-out", "examples": len(held_out),
                 "raw": score(self.weights), "averaged": [{"windowSteps": n} | score(w) for n, w in means]}
        if checkpoints:
            probe["checkpoints"] = [{"checkpoint": name} | score(self.saved[name][0]) for name in checkpoints]
        else:
            self.valley_at = self.k
        self.reporter.note("probes", probe | {"seconds": time.perf_counter() - began})

    def line(self) -> None:
        """Curvature along gradient noise; along the last update the rate at which the loss is back where it was."""
        began, examples, critical, curvature = time.perf_counter(), self.problem.training[:BATCH], None, None
        loss = lambda base, u, rate: self.problem.loss(along(base, u, -rate), examples)
        a, b = (self.problem.gradient(self.weights, self.draw.sample(self.problem.training, MICRO))[1] for _ in "ab")
        d = along(a, b, -1)
        e = 0.05 / math.sqrt(dot(d, d) or 1)
        noise = sum(f * loss(self.weights, d, x) for f, x in ((1, e), (-2, 0), (1, -e))) / (e * e * (dot(d, d) or 1))
        if self.last:
            u, rate = self.last
            before, low, high, enclosed = along(self.weights, u, rate), None, None, 0
            start, at = self.problem.loss(before, examples), self.critical or rate_at(self.plan, self.k) or rate
            for turn in range(8):  # at most six tries until two rates enclose it, then two between them
                if not (low and high) and turn >= 6:
                    break
                low, high = (at, high) if loss(before, u, at) <= start else (low, at)
                enclosed = enclosed + 1 if low and high else 0
                if enclosed == 3:
                    break
                at = math.sqrt(low * high) if enclosed else 2 * at if low else at / 2
            if low and high:
                self.critical = critical = high
                curvature = (loss(before, u, low) - 2 * start + loss(before, u, -low)) / (low * low)
        finite = {"noiseCurvature": noise, "criticalLearningRate": critical, "curvature": curvature}
        finite = {key: x if x is not None and math.isfinite(x) else None for key, x in finite.items()}
        self.reporter.note("probes", {"kind": "line", "step": self.k, "examples": len(examples)} | finite
                           | {"seconds": time.perf_counter() - began})

    def asked(self, what: str, distance: int) -> bool:
        """Whether the cadence asks for something at that distance."""
        every = (self.plan.get("cadence") or {}).get(what)
        return bool(every) and distance % every == 0

    def probe(self) -> bool:
        """The probes that the cadence asks for before this step; one that an action asked for serves."""
        distance = self.k - self.restored_at
        valley = "heldOutLoss" in self.offered and distance > 0 and self.asked("valleySteps", distance)
        line = "lineProbe" in self.offered and distance > 0 and self.asked("lineSteps", distance)
        if valley and self.valley_at != self.k:
            self.valley((min(4, len(self.averages.blocks) // 2 * 2 or 1),))
        if line:
            self.line()
        return valley or line

    def step(self) -> None:
        """One update, its columns, and a look at the tripwire."""
        began, k, plan, micro, signal = time.perf_counter(), self.k, self.plan if self.steered else self.own, {}, 0.0
        rate, wire, mu = rate_at(plan, k), plan.get("tripwire"), segment_at(plan, k).get("momentum")
        rate = min(rate, wire["thenLearningRate"]) if wire and self.wire.tripped else rate
        mu = MOMENTUM if mu is None else mu
        batch = self.problem.batch(self.cursor)
        if "microBatchNorms" in self.offered and self.asked("microBatchSteps", k):
            parts = [self.problem.gradient(self.weights, batch[i:i + MICRO]) for i in range(0, BATCH, MICRO)]
            loss, g = sum(p[0] for p in parts) / len(parts), [sum(x) / len(parts) for x in zip(*(p[1] for p in parts))]
            mean, signal = sum(dot(p[1], p[1]) for p in parts) / len(parts), -time.perf_counter()
            micro = {"microGradientNormSquared": mean, "microBatchSize": MICRO}
            signal += time.perf_counter()
        else:
            loss, g = self.problem.gradient(self.weights, batch)
        self.buffer = along(g, self.buffer, min(self.mu, mu * (1 - self.mu) / (1 - mu)))
        self.weights, self.mu, self.last = along(self.weights, self.buffer, -rate), mu, (self.buffer, rate)
        self.cursor, self.k = self.cursor + 1, k + 1
        self.averages.add(self.weights, (self.plan.get("cadence") or {}).get("blockSteps") or 10)
        row, norm = {"step": k, "loss": loss, "learningRate": rate}, None
        if not self.args.only_loss:
            norm, u = dot(g, g), self.buffer
            row |= micro | {"momentum": mu, "gradientNormSquared": norm, "batchSize": BATCH}
            if k % 100 == 0:
                row |= {"gradientDotUpdate": dot(g, u), "updateNormSquared": dot(u, u)}
            row |= {"stepSeconds": time.perf_counter() - began, "signalSeconds": signal}
        self.reporter.note("steps", row, self.plan["version"], urgent=self.wire.watch(wire, loss, norm))
        if self.args.state and self.k % 50 == 0:
            kept = [self.k, self.weights, self.buffer, self.mu, self.cursor, self.restored_at]
            self.args.state.write_text(json.dumps([kept, self.reporter.unsent()]))  # else a crash leaves a gap before k

    def before_step(self) -> None:
        """All that is due before the next step."""
        for turn in range(16):
            self.hear()
            acted = self.carry_out()
            if turn == 0 and self.keep is None:
                acted |= self.probe()
            wait = self.plan.get("awaitAtStep") == self.k != self.awaited
            if not (acted or wait):
                return
            self.awaited = self.k if wait else self.awaited
            self.reporter.flush(10 if wait else 1)

    def train(self) -> str | None:
        """The loop; answers why the job stopped by itself, or None if it was told to."""
        ended = 0.0  # since when the end is waited for
        while True:
            self.before_step()
            if self.keep is not None or self.over:
                return None
            if self.paused:
                if self.reporter.flush(1):
                    self.paused = time.monotonic()
                    time.sleep(1)
                elif time.monotonic() - self.paused > 60:
                    self.paused = 0.0
            elif self.k >= self.end and (self.args.no_budget or not self.steered):
                return "all steps are taken" if self.args.no_budget else None
            elif self.steered and self.k >= self.plan["segments"][-1]["toStep"]:
                ended = ended or time.monotonic()
                if self.reporter.state != "open" or time.monotonic() - ended > 30:
                    return "the plan has ended, and nobody said how"
                mode = self.reporter.call("GET", f"/{self.reporter.run_id}")[1].get("mode")
                self.steered = mode not in ("advisory", "off")  # a person may have changed it: only here it shows
                self.reporter.flush(1)
                time.sleep(0.2)
            elif self.k == self.args.halt_at:
                os._exit(3)  # as a crash would: what was not sent is lost
            else:
                ended = 0.0
                self.step()

    def summary(self) -> Json:
        """Trains, delivers the rest, and tells how it went."""
        reporter = self.reporter
        reporter.start()
        reporter.flush(10)
        reason = self.train()
        reporter.close(reason, 30)
        run = reporter.call("GET", f"/{reporter.run_id}")[1]
        return {"runId": reporter.run_id, "state": run.get("state"), "steps": self.k - self.args.first_step,
                "finalLoss": self.problem.loss(self.weights, self.problem.held_out), "keep": self.keep,
                "switchStep": run.get("switchStep"), "largeLearningRate": run.get("largeLearningRate"),
                "posts": reporter.posts, "refused": reporter.refused, "dropped": reporter.dropped,
                "duplicates": reporter.duplicates, "left": len(reporter.events), "stoppedBecause": reason}


def check(folder: Path) -> tuple[int, int]:
    """How many golden values and tripwire examples hold, and how many there are."""
    golden, held = json.loads((folder / "plans.json").read_text()), []
    for plan, v in ((case["plan"], v) for case in golden["plans"] for v in case["values"]):
        check_plan(plan)
        near = abs(rate_at(plan, v["step"]) - v["learningRate"]) <= golden["tolerance"] * v["scale"]
        held.append(near and segment_at(plan, v["step"]).get("momentum") == v["momentum"])
    for case in golden["invalid"]:
        try:
            check_plan(case["plan"])
            held.append(False)
        except ValueError as error:
            held.append(str(error) == case["problem"])
    for c in json.loads((folder / "tripwires.json").read_text()):
        held.append(trips(c["tripwire"], c["lossSmoothed"], c["gradientNorm"], c["nonFiniteCount"]) == c["trips"])
    return sum(held), len(held)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    option = parser.add_argument
    option("--server", default="http://127.0.0.1:7390")
    option("--steps", type=int, default=2500)
    option("--first-step", type=int, default=0)
    option("--run-id", default=f"reference-{time.time_ns():x}")
    option("--mode", default="auto", choices=["auto", "approve", "advisory", "off"])
    option("--seed", type=int, default=0)
    option("--only-loss", action="store_true", help="report step, loss and rate, offer nothing")
    option("--no-budget", action="store_true", help="name no budget; the job stops itself after --steps")
    option("--state", type=Path, help="a file for the job's own checkpoint, each 50 steps")
    option("--resume", action="store_true", help="go on with the run --run-id, from --state")
    option("--halt-at", type=int, help="break off before that step, to try --resume")
    option("--json", action="store_true", help="print the summary as one line of JSON")
    option("--check", type=Path, metavar="FOLDER", help="only evaluate the golden values in FOLDER")
    args = parser.parse_args()
    if args.check:
        held, total = check(args.check)
        print(f"{held} of {total} hold")
        return 0 if held == total else 1
    summary = Job(args).summary()
    print(json.dumps(summary) if args.json else "\n".join(f"{key}: {value}" for key, value in summary.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
