"""What the client does to a PyTorch job, and what it must not: rates, scores, states, modes, random numbers."""

from __future__ import annotations

import random
import unittest
from typing import Any

import torch
from torch import nn

from tests.torch.models import data, loss_of, normalised, plain, same, snapshot, update
from twostep.hands import Unsupported
from twostep.score import scored
from twostep.torch import TorchHands

HELD_OUT = data(64, seed=2)


def evaluate(model: nn.Module) -> Any:
    return loss_of(model, HELD_OUT)


def trained(
    model: nn.Module, optimizer: torch.optim.Optimizer, hands: TorchHands, steps: int, block: int = 4
) -> None:
    for k in range(steps):
        model.train()
        update(model, optimizer, data(32, seed=100 + k))
        hands.columns(k, None)
        hands.average(block)


class Rates(unittest.TestCase):
    def test_groups_keep_their_ratios_to_the_first(self) -> None:
        model = plain()
        groups = [{"params": model[0].parameters(), "lr": 0.2}, {"params": model[2].parameters(), "lr": 0.05}]
        optimizer = torch.optim.SGD(groups)
        hands = TorchHands(model, optimizer)
        hands.apply(0.4, None)
        self.assertEqual([group["lr"] for group in optimizer.param_groups], [0.4, 0.1])
        hands.apply(0.0, None)
        hands.apply(0.02, None)
        self.assertEqual([round(group["lr"], 9) for group in optimizer.param_groups], [0.02, 0.005])

    def test_the_ratios_are_those_from_before_a_warm_up(self) -> None:
        model = plain()
        groups = [{"params": model[0].parameters(), "lr": 0.2}, {"params": model[2].parameters(), "lr": 0.1}]
        optimizer = torch.optim.SGD(groups)
        torch.optim.lr_scheduler.LambdaLR(optimizer, [lambda k: k / 9, lambda k: k / 3])
        hands = TorchHands(model, optimizer)
        hands.apply(1.0, None)
        self.assertEqual((hands.initial_rate, [g["lr"] for g in optimizer.param_groups]), (0.2, [1.0, 0.5]))

    def test_a_rate_that_a_loaded_state_or_a_scheduler_has_written_is_written_over(self) -> None:
        model = plain()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        before = optimizer.state_dict()
        hands = TorchHands(model, optimizer)
        hands.apply(0.5, None)
        optimizer.load_state_dict(before)
        hands.apply(0.5, None)
        self.assertEqual(optimizer.param_groups[0]["lr"], 0.5)

    def test_a_rate_that_is_a_tensor_is_written_in_place(self) -> None:
        model = plain()
        rate = torch.tensor(0.1)
        optimizer = torch.optim.Adam(model.parameters(), lr=rate, capturable=False, foreach=False)
        own = optimizer.param_groups[0]["lr"]
        hands = TorchHands(model, optimizer)
        hands.apply(0.25, None)
        hands.apply(0.25, None)
        self.assertIs(optimizer.param_groups[0]["lr"], own)
        self.assertEqual(float(own), 0.25)
        own.fill_(0.9)
        hands.apply(0.25, None)
        self.assertEqual(float(own), 0.25)

    def test_the_rate_that_was_applied_is_reported(self) -> None:
        model = plain()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        hands = TorchHands(model, optimizer)
        update(model, optimizer, data(8))
        optimizer.param_groups[0]["lr"] = 0.7  # a scheduler, after the step
        self.assertEqual(hands.columns(0, None)["learningRate"], 0.1)

    def test_an_optimizer_is_described_as_the_server_takes_it(self) -> None:
        weights = list(plain().parameters())
        for optimizer, expected in (
            (
                torch.optim.SGD(weights, lr=0.1, momentum=0.9),
                {"name": "SGD", "momentum": 0.9, "weightDecay": 0.0},
            ),
            (
                torch.optim.AdamW(weights),
                {"name": "AdamW", "family": "adam", "momentum": 0.9, "weightDecay": 0.01},
            ),
            (torch.optim.Rprop(weights), {"name": "Rprop"}),
        ):
            self.assertEqual(TorchHands(plain(), optimizer).optimizer, expected)


class Scores(unittest.TestCase):
    def test_evaluate_may_answer_in_all_forms(self) -> None:
        parts = [1.0, 2.0, 3.0, 6.0]
        for answer, expected in (
            (3, {"loss": 3.0}),
            (torch.tensor(3.0), {"loss": 3.0}),
            (torch.tensor([3.0]), {"loss": 3.0}),
            (parts, {"loss": 3.0, "lossByPart": parts}),
            (torch.tensor(parts), {"loss": 3.0, "lossByPart": parts}),
            ([1.0, 5.0], {"loss": 3.0}),
            ([3.0] * 33, {"loss": 3.0}),
            ({"loss": torch.tensor(3.0)}, {"loss": 3.0}),
            ({"loss": 2.5, "lossByPart": torch.tensor(parts)}, {"loss": 2.5, "lossByPart": parts}),
            ({"lossByPart": parts, "accuracy": 0.5}, {"loss": 3.0, "lossByPart": parts, "accuracy": 0.5}),
            ({"loss": 3.0, "accuracy": 97.5}, {"loss": 3.0}),
        ):
            score = scored(answer)
            score.pop("examples", None)
            self.assertEqual(score, expected)
        self.assertEqual(scored({"loss": 1, "examples": 9})["examples"], 9)
        for answer in ({}, {"accuracy": 1.0}, [], "text"):
            with self.assertRaises((TypeError, ValueError)):
                scored(answer)

    def test_all_windows_are_scored_with_their_own_weights(self) -> None:
        model = plain()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        hands = TorchHands(model, optimizer, evaluate)
        trained(model, optimizer, hands, 17)
        probe = hands.valley("all", None)
        self.assertEqual([window["windowSteps"] for window in probe["averaged"]], [4, 8, 16])
        self.assertEqual(len(hands.valley("longest", None)["averaged"]), 1)
        self.assertAlmostEqual(probe["raw"]["loss"], float(evaluate(model).detach()), places=6)
        present = [p.detach().clone() for p in model.parameters()]
        assert hands._averages is not None
        for window, count in zip(probe["averaged"], (1, 2, 4), strict=True):
            found = hands._averages.mean(count)
            assert found is not None
            hands._load(found[1])
            self.assertAlmostEqual(window["loss"], float(evaluate(model).detach()), places=6)
        hands._load(present)

    def test_examples_are_told_given_or_counted(self) -> None:
        model = plain()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        self.assertEqual(TorchHands(model, optimizer, evaluate).valley("all", None)["examples"], 64)
        self.assertEqual(
            TorchHands(model, optimizer, evaluate, examples=9).valley("all", None)["examples"], 9
        )
        told = TorchHands(model, optimizer, lambda m: {"loss": 1.0, "examples": 7}).valley("all", None)
        self.assertEqual((told["examples"], told["raw"]), (7, {"loss": 1.0}))
        self.assertEqual(TorchHands(model, optimizer, lambda m: 1.0).valley("all", None)["examples"], 1)

    def test_normalisation_is_recomputed_for_each_score_and_training_keeps_its_own(self) -> None:
        model = normalised()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
        seen: list[torch.Tensor] = []

        def look(m: nn.Module) -> Any:
            seen.append(m[1].running_mean.clone())  # type: ignore[index]
            return evaluate(m)

        hands = TorchHands(model, optimizer, look)
        trained(model, optimizer, hands, 12)
        before = snapshot(model)
        hands.valley("all", None)
        self.assertTrue(same(before, snapshot(model)))
        expected = torch.stack([model[0](data(32, seed=100 + k)[0]).mean(0) for k in range(4, 12)]).mean(0)
        torch.testing.assert_close(seen[0], expected.detach())
        self.assertEqual(len({tuple(mean.tolist()) for mean in seen}), 3)

    def test_a_frozen_layer_keeps_its_statistics_and_its_mode(self) -> None:
        model = normalised()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
        hands = TorchHands(model, optimizer, lambda m: (m[1].running_mean * 0).sum() + 1)  # type: ignore[index]
        model.train()
        model[1].eval()
        update(model, optimizer, data(32))
        before = snapshot(model)
        hands.valley("all", None)
        self.assertTrue(same(before, snapshot(model)))
        self.assertEqual([m.training for m in model], [True, False, True, True, True])

    def test_before_a_training_batch_was_seen_nothing_isscored(self) -> None:
        model = normalised()
        hands = TorchHands(model, torch.optim.SGD(model.parameters(), lr=0.1), evaluate)
        with self.assertRaisesRegex(Unsupported, "no training batch"):
            hands.valley("all", None)

    def test_an_evaluate_that_fails_leaves_everything_as_it_was(self) -> None:
        model = normalised()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
        calls: list[int] = []

        def fails(m: nn.Module) -> Any:
            calls.append(1)
            if len(calls) % 2 == 0:
                raise (KeyboardInterrupt if len(calls) == 4 else RuntimeError)
            return evaluate(m)

        hands = TorchHands(model, optimizer, fails)
        trained(model, optimizer, hands, 12)
        before, drawn = snapshot(model), torch.get_rng_state()
        for error in (RuntimeError, KeyboardInterrupt):
            with self.assertRaises(error):
                hands.valley("all", None)
            self.assertTrue(same(before, snapshot(model)))
            self.assertTrue(model.training and torch.equal(drawn, torch.get_rng_state()))

    def test_random_numbers_that_evaluate_draws_are_not_missed_by_training(self) -> None:
        model = plain()

        def draws(m: nn.Module) -> float:
            return float(torch.rand(())) + random.random()

        hands = TorchHands(model, torch.optim.SGD(model.parameters(), lr=0.1), draws)
        torch.manual_seed(5)
        random.seed(5)
        hands.valley("all", None)
        after = (float(torch.rand(())), random.random())
        torch.manual_seed(5)
        random.seed(5)
        self.assertEqual(after, (float(torch.rand(())), random.random()))

    def test_a_comparison_scores_checkpoints_over_all_examples(self) -> None:
        model = normalised()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
        hands = TorchHands(
            model, optimizer, evaluate, evaluate_all=lambda m: {"loss": evaluate(m), "examples": 640}
        )
        trained(model, optimizer, hands, 4)
        hands.keep("early", False)
        early = hands.valley("all", None)["raw"]["loss"]
        inputs = list(hands._normalisation._inputs)
        trained(model, optimizer, hands, 8)
        hands._normalisation._inputs.clear()
        hands._normalisation._inputs.extend(inputs)
        probe = hands.valley("all", ["early"])
        self.assertEqual((probe["examples"], probe["checkpoints"][0]["checkpoint"]), (640, "early"))
        self.assertAlmostEqual(probe["checkpoints"][0]["loss"], early, places=6)
        with self.assertRaises(KeyError):
            hands.valley("all", ["nobody"])


class States(unittest.TestCase):
    def go_on(self, model: nn.Module, optimizer: torch.optim.Optimizer, steps: int = 5) -> list[Any]:
        for k in range(steps):
            model.train()
            update(model, optimizer, data(32, seed=k))
        return snapshot(model, optimizer)

    def test_a_restored_state_trains_on_bit_by_bit_as_it_would_have(self) -> None:
        for make in (
            lambda p: torch.optim.Adam(p, lr=0.01),
            lambda p: torch.optim.AdamW(p, lr=torch.tensor(0.01), amsgrad=True, foreach=False),
            lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9),
        ):
            model = normalised()
            optimizer = make(model.parameters())
            hands = TorchHands(model, optimizer)
            self.go_on(model, optimizer)
            hands.keep("here", False)
            expected = self.go_on(model, optimizer)
            self.go_on(model, optimizer, 3)
            hands.restore("here", True, 0)
            # Dropout draws as it did: random numbers go back with the data.
            self.assertTrue(same(self.go_on(model, optimizer), expected))

    def test_the_state_before_the_first_step_is_one_too(self) -> None:
        model = normalised()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        hands = TorchHands(model, optimizer)
        hands.keep("start", False)
        expected = self.go_on(model, optimizer)
        hands.restore("start", True, 0)
        self.assertTrue(same(self.go_on(model, optimizer), expected))

    def test_tensors_keep_their_identity(self) -> None:
        model = normalised()
        optimizer = torch.optim.Adam(model.parameters(), lr=torch.tensor(0.01), foreach=False)
        hands = TorchHands(model, optimizer)
        self.go_on(model, optimizer)

        def identities() -> list[int]:
            states = [t for entry in optimizer.state.values() for t in entry.values()]
            tensors = [*model.state_dict(keep_vars=True).values(), *states, optimizer.param_groups[0]["lr"]]
            return [id(tensor) for tensor in tensors]

        before = identities()
        hands.keep("here", False)
        self.go_on(model, optimizer)
        hands.restore("here", False, 0)
        self.assertEqual(identities(), before)

    def test_without_rewinding_random_numbers_and_data_go_on(self) -> None:
        class Order:
            place = 0

            def state_dict(self) -> dict[str, int]:
                return {"place": self.place}

            def load_state_dict(self, state: dict[str, int]) -> None:
                self.place = state["place"]

        model, order, scaler = plain(), Order(), Order()
        hands = TorchHands(model, torch.optim.SGD(model.parameters(), lr=0.1), data=order, scaler=scaler)
        self.assertIn("rewind", hands.capabilities)
        hands.keep("here", False)
        order.place, scaler.place = 9, 9
        drawn = torch.get_rng_state()
        hands.restore("here", False, 0)
        self.assertEqual((order.place, scaler.place), (9, 0))
        self.assertTrue(torch.equal(drawn, torch.get_rng_state()))
        hands.restore("here", True, 3)
        self.assertEqual(order.place, 9, "batches that are to be left out are not gone back to")
        hands.restore("here", True, 0)
        self.assertEqual(order.place, 0)

    def test_an_averaged_checkpoint_holds_the_mean_and_training_goes_on_from_its_own(self) -> None:
        model = normalised()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
        hands = TorchHands(model, optimizer, evaluate)
        trained(model, optimizer, hands, 12)
        before = snapshot(model)
        hands.keep("lowest", True)
        self.assertTrue(same(before, snapshot(model)))
        assert hands._averages is not None
        mean = hands._averages.mean(4)
        assert mean is not None
        hands.restore("lowest", False, 0)
        for parameter, value in zip(model.parameters(), mean[1], strict=True):
            self.assertTrue(torch.equal(parameter, value))
        self.assertIsNone(hands._averages.mean(1))

    def test_too_many_states_are_refused_and_none_is_given_up(self) -> None:
        model = plain()
        hands = TorchHands(model, torch.optim.SGD(model.parameters(), lr=0.1))
        for i in range(8):
            hands.keep(f"s{i}", False)
        hands.keep("s3", False)
        with self.assertRaisesRegex(MemoryError, "8 states"):
            hands.keep("one more", False)
        hands.drop("s3")
        hands.drop("nobody")
        hands.keep("one more", False)
        with self.assertRaises(KeyError):
            hands.restore("s3", False, 0)

    def test_the_result_has_statistics_of_its_own(self) -> None:
        for keep, name in (("averaged", None), ("checkpoint", "lowest")):
            model = normalised()
            optimizer = torch.optim.SGD(model.parameters(), lr=0.3)
            hands = TorchHands(model, optimizer, evaluate)
            trained(model, optimizer, hands, 12)
            hands.keep("lowest", True)
            hands.finish(keep, name)
            inputs = [data(32, seed=100 + k)[0] for k in range(4, 12)]
            expected = torch.stack([model[0](batch).mean(0) for batch in inputs]).mean(0)
            torch.testing.assert_close(model[1].running_mean, expected.detach())
            self.assertTrue(model.training)
        with self.assertRaises(KeyError):
            hands.finish("checkpoint", "nobody")

    def test_memory_is_what_was_said(self) -> None:
        model = normalised()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        hands = TorchHands(model, optimizer, evaluate)
        trained(model, optimizer, hands, 49, block=10)
        for i in range(5):
            hands.keep(f"s{i}", False)
        assert hands._averages is not None
        kept = [*hands._states._states.values()]
        tensors = [t for state in kept for t in state["model"].values()]
        tensors += [t for state in kept for entry in state["optimizer"] for t in entry.values()]
        measured = hands._averages.held_bytes + sum(t.numel() * t.element_size() for t in tensors)
        self.assertEqual(measured, hands.memory_bytes)

    def test_at_the_end_nothing_is_kept_and_no_hook_stays(self) -> None:
        model = normalised()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
        hands = TorchHands(model, optimizer, evaluate, micro_batches=2, batch_size=32)
        trained(model, optimizer, hands, 12)
        hands.keep("s", False)
        hands.close()
        hooks = [len(optimizer._optimizer_step_pre_hooks), len(optimizer._optimizer_step_post_hooks)]
        hooks += [
            len(model._forward_pre_hooks),
            *(len(p._post_accumulate_grad_hooks or ()) for p in model.parameters()),
        ]
        self.assertEqual(set(hooks), {0})
        self.assertEqual((hands._states._states, len(hands._normalisation._inputs)), ({}, 0))


if __name__ == "__main__":
    unittest.main()
