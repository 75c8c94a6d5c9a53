"""Averages of the weights, against the definition written out (PROTOCOL.md §7)."""

from __future__ import annotations

import random
import unittest

import torch

from twostep.torch.averages import Averages


class Plain:
    """The same from a list of all weights: slow, and plain to see."""

    def __init__(self) -> None:
        self.blocks: list[list[tuple[int, float]]] = []
        self.open: list[tuple[int, float]] = []
        self.length = 0

    def add(self, weight: float, length: int) -> None:
        if length != self.length:
            self.close() if self.open and 2 * len(self.open) >= self.length else None
            self.open, self.length = [], length
        self.open.append((len(self.open) + 1, weight))
        if len(self.open) == length:
            self.close()

    def close(self) -> None:
        self.blocks.append(self.open)
        self.blocks = self.blocks[-4:]
        self.lengths = [*getattr(self, "lengths", []), self.length][-4:]
        self.open = []

    def mean(self, count: int) -> tuple[int, float]:
        newest = list(zip(self.blocks, self.lengths, strict=True))[-count:]
        taken = [w for block, length in newest for n, w in block if length < 8 or (length - n) % 4 == 0]
        return sum(len(block) for block, _ in newest), sum(taken) / len(taken)


class AveragesTest(unittest.TestCase):
    def test_blocks_strides_and_changes_of_length_are_those_of_the_definition(self) -> None:
        for seed in range(20):
            draw = random.Random(seed)
            weight = torch.nn.Parameter(torch.zeros(3, dtype=torch.float32))
            averages, plain, length = Averages([weight]), Plain(), 5
            for step in range(300):
                if draw.random() < 0.03:
                    length = draw.choice([1, 3, 7, 8, 10, 20, 33])
                value = float(step % 97) + draw.random()
                with torch.no_grad():
                    weight.fill_(value)
                averages.add(length)
                plain.add(float(weight[0].detach()), length)
                self.assertEqual(averages.block_count, len(plain.blocks))
                for count in (1, 2, 4):
                    window = averages.mean(count)
                    if window is None:
                        self.assertEqual(plain.blocks, [], f"seed {seed}, step {step}")
                        continue
                    span, mean = plain.mean(count)
                    self.assertEqual(window[0], span, f"seed {seed}, step {step}")
                    # Sums of up to 132 numbers below 100 in float32.
                    torch.testing.assert_close(window[1][0], torch.full((3,), mean), rtol=1e-5, atol=1e-5)

    def test_the_example_of_the_reference_client(self) -> None:
        weight = torch.nn.Parameter(torch.zeros(1))
        averages = Averages([weight])

        def add(value: float, length: int) -> None:
            with torch.no_grad():
                weight.fill_(value)
            averages.add(length)

        for k in range(1, 46):
            add(float(k), 20)
        for count, expected in ((1, (20, 32.0)), (4, (40, 22.0))):
            span, (mean,) = averages.mean(count) or (0, [weight])
            self.assertEqual((span, float(mean)), expected)
        for k in (46, 47, 48):
            add(float(k), 3)
        span, (mean,) = averages.mean(1) or (0, [weight])
        self.assertEqual((span, float(mean)), (3, 47.0))

    def test_after_a_restore_no_window_is_left(self) -> None:
        averages = Averages([torch.nn.Parameter(torch.ones(2))])
        for _ in range(40):
            averages.add(10)
        averages.begin_anew()
        self.assertIsNone(averages.mean(4))
        self.assertEqual((averages.block_count, averages.held_bytes), (0, 0))

    def test_weights_of_half_precision_are_averaged_in_single(self) -> None:
        weight = torch.nn.Parameter(torch.zeros(1, dtype=torch.bfloat16))
        averages = Averages([weight])
        for k in range(4):
            with torch.no_grad():
                weight.fill_(256.0 + 2 * (k % 2))
            averages.add(4)
        _, (mean,) = averages.mean(1) or (0, [weight])
        self.assertEqual((float(mean), mean.dtype), (257.0, torch.float32))

    def test_a_window_is_a_copy(self) -> None:
        weight = torch.nn.Parameter(torch.ones(2))
        averages = Averages([weight])
        for _ in range(4):
            averages.add(4)
        _, (mean,) = averages.mean(1) or (0, [weight])
        mean.fill_(9.0)
        _, (again,) = averages.mean(1) or (0, [weight])
        self.assertEqual(again.tolist(), [1.0, 1.0])


if __name__ == "__main__":
    unittest.main()
