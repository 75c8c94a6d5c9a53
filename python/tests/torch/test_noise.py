"""Gradient norms against autograd's, computed directly (PROTOCOL.md §7)."""

from __future__ import annotations

import unittest
from typing import Any

import torch
from torch import Tensor, nn

from tests.torch.models import data, loss_of, plain, update
from twostep.torch import TorchHands

PARTS = 4


def direct(model: nn.Module, batch: tuple[Tensor, Tensor]) -> tuple[list[Tensor], list[list[Tensor]]]:
    """Gradients of the whole batch and of its parts, without accumulation."""
    weights = list(model.parameters())
    whole = list(torch.autograd.grad(loss_of(model, batch), weights))
    parts = zip(batch[0].chunk(PARTS), batch[1].chunk(PARTS), strict=True)
    return whole, [list(torch.autograd.grad(loss_of(model, part), weights)) for part in parts]


def squared(gradients: list[Tensor], scales: list[Tensor] | None = None) -> float:
    scales = scales or [torch.ones(())] * len(gradients)
    return float(sum((g.double().square() / s).sum() for g, s in zip(gradients, scales, strict=True)))


def known(value: Any) -> Any:
    return value() if callable(value) else value


class Norms(unittest.TestCase):
    def hands(self, optimizer: torch.optim.Optimizer, model: nn.Module, **more: Any) -> TorchHands:
        return TorchHands(model, optimizer, micro_batches=PARTS, batch_size=32, **more)

    def test_the_norm_of_the_batch_is_autograds(self) -> None:
        model = plain()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        hands = TorchHands(model, optimizer, batch_size=32)
        for k in range(12):
            batch = data(32, seed=k)
            whole, _ = direct(model, batch)
            update(model, optimizer, batch)
            columns = hands.columns(k, 1)
            self.assertEqual("gradientNormSquared" in columns, k % 10 == 0)
            self.assertNotIn("microGradientNormSquared", columns)
            if k % 10 == 0:
                self.assertAlmostEqual(columns["gradientNormSquared"], squared(whole), places=6)

    def test_norms_of_micro_batches_are_those_of_their_own_gradients(self) -> None:
        model = plain()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        hands = self.hands(optimizer, model)
        for k in range(9):
            batch = data(32, seed=k)
            whole, parts = direct(model, batch)
            update(model, optimizer, batch, PARTS)
            columns = hands.columns(k, 3)
            self.assertEqual("microGradientNormSquared" in columns, k > 0 and k % 3 == 0)
            if "microGradientNormSquared" in columns:
                mean = sum(squared(part) for part in parts) / PARTS
                self.assertAlmostEqual(columns["gradientNormSquared"] / squared(whole), 1, places=4)
                self.assertAlmostEqual(columns["microGradientNormSquared"] / mean, 1, places=4)
                self.assertEqual((columns["batchSize"], columns["microBatchSize"]), (32, 8))
                self.assertGreater(columns["signalSeconds"], 0)

    def test_preconditioned_norms_divide_by_adams_own_scale_after_the_step(self) -> None:
        for kind in (torch.optim.Adam, torch.optim.AdamW, torch.optim.NAdam, torch.optim.RAdam):
            model = plain()
            optimizer = kind(model.parameters(), lr=0.01, betas=(0.9, 0.99), eps=1e-6)
            hands = self.hands(optimizer, model)
            hands.columns(-1, 1)
            for k in range(6):
                batch = data(32, seed=k)
                whole, parts = direct(model, batch)
                update(model, optimizer, batch, PARTS)
                columns = hands.columns(k, 1)
                scales = []
                for p in model.parameters():
                    state = optimizer.state[p]
                    corrected = state["exp_avg_sq"] / (1 - 0.99 ** float(state["step"]))
                    scales.append(corrected.sqrt() + 1e-6)
                self.assertEqual(
                    "preconditionedGradientNormSquared" in columns, k > 0, "null at the first step"
                )
                if k > 0:
                    mean = sum(squared(part, scales) for part in parts) / PARTS
                    found = [
                        known(columns[f"preconditioned{key}GradientNormSquared"]) for key in ("", "Micro")
                    ]
                    self.assertAlmostEqual(found[0] / squared(whole, scales), 1, places=4)
                    self.assertAlmostEqual(found[1] / mean, 1, places=4)

    def test_norms_are_those_before_clipping_and_preconditioned_ones_are_not_known_then(self) -> None:
        model = plain()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        hands = self.hands(optimizer, model)
        hands.columns(-1, 1)
        for k, bound in enumerate((1e-3, 1e9, 1e-3)):
            batch = data(32, seed=k)
            whole, _ = direct(model, batch)
            optimizer.zero_grad()
            for part in zip(batch[0].chunk(PARTS), batch[1].chunk(PARTS), strict=True):
                (loss_of(model, part) / PARTS).backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), bound)
            optimizer.step()
            columns = hands.columns(k, 1)
            self.assertAlmostEqual(columns["gradientNormSquared"] / squared(whole), 1, places=4)
            self.assertEqual(columns["clipped"], float(bound == 1e-3))
            if k > 0:
                self.assertEqual(known(columns["preconditionedGradientNormSquared"]) is None, bound == 1e-3)

    def test_another_number_of_backward_passes_gives_no_norms_of_micro_batches(self) -> None:
        model = plain()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        hands = self.hands(optimizer, model)
        hands.columns(-1, 1)
        whole, _ = direct(model, data(32))
        update(model, optimizer, data(32), 2)
        columns = hands.columns(0, 1)
        self.assertNotIn("microGradientNormSquared", columns)
        self.assertAlmostEqual(columns["gradientNormSquared"] / squared(whole), 1, places=4)

    def test_with_a_scaler_norms_are_unscaled_and_skipped_steps_are_told(self) -> None:
        model = plain()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
        hands = self.hands(optimizer, model, scaler=scaler)
        hands.columns(-1, 1)
        for k in range(3):
            batch = data(32, seed=k)
            if k == 1:
                batch[0][0, 0] = float("inf")
            else:
                whole, parts = direct(model, batch)
            optimizer.zero_grad()
            for part in zip(batch[0].chunk(PARTS), batch[1].chunk(PARTS), strict=True):
                scaler.scale(loss_of(model, part) / PARTS).backward()
            scaler.step(optimizer)
            scaler.update()
            columns = hands.columns(k, 1)
            self.assertEqual(columns["skipped"], int(k == 1))
            if k != 1:
                mean = sum(squared(part) for part in parts) / PARTS
                self.assertAlmostEqual(columns["gradientNormSquared"] / squared(whole), 1, places=4)
                self.assertAlmostEqual(columns["microGradientNormSquared"] / mean, 1, places=4)

    def test_micro_batches_that_cannot_be_told_apart_are_not_offered(self) -> None:
        model = plain()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        self.assertIn("microBatchNorms", self.hands(optimizer, model).capabilities)
        self.assertNotIn("microBatchNorms", TorchHands(model, optimizer, micro_batches=4).capabilities)
        self.assertNotIn("microBatchNorms", TorchHands(model, optimizer, batch_size=32).capabilities)


if __name__ == "__main__":
    unittest.main()
