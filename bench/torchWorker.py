"""PyTorch on the processor as a contender of `bench backends`: the same networks, batch size and optimizer, plain
training steps. The argument, if any, is the number of threads. Answers each line {"model", "steps"} on standard input with the milliseconds a step."""

import json
import sys
import time

import torch
from torch import nn

BATCH_SIZE = 128
EXAMPLES = 4096


def make_model(name: str) -> nn.Module:
    if name == "mlp":
        return nn.Sequential(
            nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 10)
        )
    return nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)),
        nn.Conv2d(1, 16, 3, padding=1),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.MaxPool2d(2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(32 * 7 * 7, 10),
    )


class Job:
    def __init__(self, name: str) -> None:
        self.model = make_model(name)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=0.01, momentum=0.9)
        self.inputs = torch.randn(EXAMPLES, 784)
        self.labels = torch.randint(0, 10, (EXAMPLES,))

    def step(self) -> float:
        rows = torch.randint(0, EXAMPLES, (BATCH_SIZE,))
        loss = nn.functional.cross_entropy(self.model(self.inputs[rows]), self.labels[rows])
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()


def main() -> None:
    torch.manual_seed(1)
    if len(sys.argv) > 1:
        torch.set_num_threads(int(sys.argv[1]))
    jobs: dict[str, Job] = {}
    ready = f"PyTorch {torch.__version__} on the processor, {torch.get_num_threads()} threads"
    print(json.dumps({"ready": ready}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        job = jobs.setdefault(request["model"], Job(request["model"]))
        started = time.perf_counter()
        for _ in range(request["steps"]):
            job.step()
        ms = 1000 * (time.perf_counter() - started) / request["steps"]
        print(json.dumps({"msPerStep": ms}), flush=True)


main()
