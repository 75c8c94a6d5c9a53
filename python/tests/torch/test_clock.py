"""A job whose batch grows, with tokens as its clock, steered by the real server: shares of the budget are shares of the tokens."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from tests.jobs import JobTest
from tests.real_server import RealServer
from tests.torch.models import update

SMALL, LARGE, STEPS = 64, 256, 1_200
"""Examples count as tokens here."""


class ABatchThatGrows(JobTest):
    def test_is_annealed_by_tokens_and_ends_with_the_last_of_them(self) -> None:
        server = RealServer()
        self.addCleanup(server.close)
        torch.manual_seed(0)
        inputs, held_out, truth = torch.randn(4096, 20), torch.randn(1024, 20), torch.randn(20, 5)
        labels = (inputs @ truth + 3.2 * torch.randn(4096, 5)).argmax(1)
        true = (held_out @ truth + 3.2 * torch.randn(1024, 5)).argmax(1)
        model = nn.Sequential(nn.Linear(20, 48), nn.ReLU(), nn.Linear(48, 5))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

        def evaluate(m: nn.Module) -> Any:
            return nn.functional.cross_entropy(m(held_out), true, reduction="none").view(16, -1).mean(1)

        budget = {"budget_steps": None, "budget_tokens": SMALL * STEPS, "tokens_per_step": SMALL}
        run = self.run_of(server.url, **budget)
        run.watch(model, optimizer, evaluate=evaluate)
        tokens, updates = 0, 0
        while not run.finished and tokens < SMALL * STEPS:
            size = SMALL if tokens < SMALL * STEPS // 2 else LARGE
            picked = torch.randint(0, 4096, (size,))
            loss = update(model, optimizer, (inputs[picked], labels[picked]))
            tokens, updates = tokens + size, updates + 1
            run.step(loss, tokens=tokens, batch_size=size)
        run.finish()
        summary = server.get(f"runs/{run.run_id}")
        self.assertEqual((summary["state"], summary["drift"]), ("finished", None), self.said())
        self.assertEqual((summary["budgetSteps"], summary["options"]["tokensPerStep"]), (STEPS, SMALL))
        self.assertEqual(sum(summary["badSamples"].values()), 0)
        self.assertEqual((tokens, updates), (SMALL * STEPS, STEPS // 2 + STEPS // 8))
        # From three quarters of the tokens on, which are four fifths of the updates.
        self.assertGreaterEqual(summary["switchStep"], 0.75 * STEPS)
        self.assertLessEqual(summary["switchStep"], 0.9 * STEPS + LARGE // SMALL)
        self.assertTrue(summary["outcome"]["isBetter"])
        start = server.get(f"runs/{run.run_id}/decisions?limit=1")["decisions"][0]
        self.assertIn("for 1,200 steps of 64 tokens", start["summary"])
        rates = [group["lr"] for group in optimizer.param_groups]
        self.assertLess(rates[0], 0.02 * summary["largeLearningRate"])
