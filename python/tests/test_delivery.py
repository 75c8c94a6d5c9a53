"""Delivery to servers that misbehave: nothing is raised, training is not delayed, each step is stored once in the end."""

from __future__ import annotations

import math
import socket
import threading
import time
import unittest
from typing import Any

import twostep.follow
import twostep.reporter
from tests.jobs import JobTest
from tests.servers import Request, Server
from twostep.sync import sync

STEP_SECONDS_MAX = 0.25
"""No step may take longer; most take microseconds, and this machine may be busy."""


def on_telemetry(*numbers: int, how: str) -> Any:
    """Misbehaves at the telemetry requests of these numbers."""
    seen = 0

    def behave(request: Request) -> str | None:
        nonlocal seen
        seen += request.is_telemetry
        return how if request.is_telemetry and seen in numbers else None

    return behave


class Unkind(JobTest):
    def setUp(self) -> None:
        super().setUp()
        # The first wait is for the first answer; it is tested by itself.
        self.patch(twostep.run, "START_SECONDS", 0.3)
        self.patch(twostep.reporter, "REQUEST_SECONDS", 0.5)
        self.patch(twostep.run, "CLOSE_SECONDS", 5.0)

    def bears(self, behave: Any, steps: int = 200) -> Server:
        """Trains against a server that misbehaves for a while, and looks at what it has in the end."""
        server = Server(behave)
        self.addCleanup(server.close)
        run = self.run_of(server.url)
        self.assertLess(self.train(run, steps, pause=0.001), STEP_SECONDS_MAX)
        run.finish("the test is over")
        self.assertEqual(server.stored, list(range(steps)), self.said())
        self.assertEqual(self.spools(), [])
        return server


class EachStepIsStoredOnce(Unkind):
    def test_with_a_server_that_does_all_right(self) -> None:
        server = self.bears(None)
        self.assertEqual([command["kind"] for command in server.commands], ["finish"])
        self.assertEqual(set(server.column("learningRate")), {0.05})
        self.assertEqual(self.said(), "")

    def test_where_answers_are_lost_after_storing(self) -> None:
        server = self.bears(on_telemetry(2, 4, 5, how="lost"))
        self.assertGreaterEqual(server.duplicates, 2)

    def test_where_connections_are_hung_up(self) -> None:
        self.bears(on_telemetry(1, 3, 4, how="hang up"))

    def test_where_answers_are_a_page_of_html(self) -> None:
        self.bears(on_telemetry(1, 2, how="html"))

    def test_where_answers_end_in_the_middle(self) -> None:
        server = self.bears(on_telemetry(1, 3, how="half"))
        self.assertEqual(server.duplicates, 2)
        self.bears(on_telemetry(1, 2, how="cut"))

    def test_where_an_answer_never_ends(self) -> None:
        self.bears(on_telemetry(2, how="endless"))

    def test_where_the_server_is_busy_and_says_when_to_come_again(self) -> None:
        server = self.bears(on_telemetry(1, 2, how="503 run-busy 0"))
        self.assertEqual(len({str(request.body) for request in server.requests[1:4]}), 1)

    def test_where_too_much_is_asked(self) -> None:
        self.bears(on_telemetry(1, 2, how="429 too-many"))

    def test_where_a_batch_is_too_large(self) -> None:
        def behave(request: Request) -> str | None:
            return "413 body-too-large" if len(request.body.get("steps", {}).get("step", ())) > 7 else None

        self.bears(behave)

    def test_where_the_server_has_forgotten_what_it_had_stored(self) -> None:
        done = []

        def behave(request: Request) -> str | None:
            if request.is_telemetry and request.body["sequence"] == 4 and not done:
                done.append(True)
                server = self.servers[0]
                server._seen.clear()
            return None

        server = Server(behave)
        self.servers = [server]
        self.addCleanup(server.close)
        run = self.run_of(server.url)
        self.train(run, 200, pause=0.001)
        run.finish()
        self.assertEqual(server.stored, list(range(200)))
        self.assertEqual([batch["sequence"] for batch in server.batches][:4], [1, 2, 3, 1])

    def test_where_somebody_else_uses_the_same_name(self) -> None:
        server = self.bears(on_telemetry(3, how="409 sequence-reused"))
        names = list(dict.fromkeys(batch["clientId"] for batch in server.batches))
        self.assertEqual(len(names), 2)
        self.assertEqual([b["sequence"] for b in server.batches if b["clientId"] == names[1]][:2], [1, 2])

    def test_after_an_outage_in_the_middle(self) -> None:
        server = Server()
        port = server.port
        run = self.run_of(server.url)
        longest = self.train(run, 100, pause=0.001)
        before = server.batches
        seen, runs = server._seen, server.runs
        server.close()
        run._reporter._connection.close()  # type: ignore[union-attr]
        longest = max(longest, self.train(run, 300, pause=0.001))
        again = Server(port=port)
        self.addCleanup(again.close)
        again.batches, again._seen, again.runs = before, seen, runs
        longest = max(longest, self.train(run, 100, pause=0.001))
        self.assertTrue(again.until(lambda: len(again.stored) >= 400), self.said())
        run.finish()
        self.assertLess(longest, STEP_SECONDS_MAX)
        self.assertEqual(again.stored, list(range(500)))
        self.assertEqual(self.spools(), [])
        self.assertIn("answers again", self.said())


class TheServerIsAway(Unkind):
    def test_the_steps_lie_in_the_spool_and_sync_sends_them(self) -> None:
        with socket.socket() as taken:  # bound and not listening: whoever connects is refused
            taken.bind(("127.0.0.1", 0))
            run = self.run_of(f"http://127.0.0.1:{taken.getsockname()[1]}")
            began = time.monotonic()
            self.assertLess(self.train(run, 300, pause=0.001), STEP_SECONDS_MAX)
            run.finish()
        self.assertLess(time.monotonic() - began, 5)
        (spool,) = self.spools()
        self.assertIn(f"`twostep sync {spool}` sends them", self.said())
        with Server() as server:
            done = sync(spool, server.url)
            self.assertEqual((done.problem, done.left), (None, 0))
            self.assertEqual(server.stored, list(range(300)))
            self.assertEqual([c["reason"] for c in server.commands], ["the job ended after step 300"])
        self.assertEqual(self.spools(), [])

    def test_the_own_plan_is_followed_to_its_end_without_waiting_for_an_answer(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            run = self.run_of(f"http://127.0.0.1:{taken.getsockname()[1]}", budget_steps=100)
            self.train(run, 30, pause=0.001)
            self.assertEqual(run.learning_rate, twostep.follow.COMMON_RATE)
            self.train(run, 70, pause=0.001)
            self.assertEqual(run.learning_rate, 0.0)
            began = time.monotonic()
            run.finish()
            self.assertLess(time.monotonic() - began, 1.0)

    def test_a_slow_server_delays_the_first_step_by_its_bound_and_no_other(self) -> None:
        with Server(lambda request: "slow") as server:
            run = self.run_of(server.url)
            began = time.monotonic()
            run.step(1.0)
            self.assertLess(time.monotonic() - began, 0.3 + STEP_SECONDS_MAX)
            self.assertLess(self.train(run, 300, pause=0.001), STEP_SECONDS_MAX)
            self.patch(twostep.run, "CLOSE_SECONDS", 0.3)
            began = time.monotonic()
            run.finish()
            self.assertLess(time.monotonic() - began, 1.0)
            server.release.set()
            server.behave = None
            (spool,) = self.spools()
            self.assertIsNone(sync(spool, server.url).problem)
            self.assertEqual(server.stored, list(range(301)))

    def test_waits_for_answers_are_bounded_over_the_whole_run(self) -> None:
        self.patch(twostep.follow, "WAIT_GRACE", 0.2)
        hold = threading.Event()
        with Server(lambda request: "slow" if hold.is_set() and request.is_telemetry else None) as server:
            run = self.run_of(server.url)
            run.step(1.0)
            hold.set()
            run._actions = [
                {"id": f"a{i}", "kind": "drop", "atStep": i, "checkpoint": "x"} for i in range(40)
            ]
            began = time.monotonic()
            self.train(run, 40)
            self.assertLess(time.monotonic() - began, 0.2 + STEP_SECONDS_MAX)

    def test_each_wait_in_vain_halves_the_next(self) -> None:
        asked: list[float] = []

        class Deaf:
            def settle(self, seconds: float) -> bool:
                asked.append(round(seconds, 4))
                return len(asked) == 4

        run = self.run_of("http://127.0.0.1:9")
        run._reporter = Deaf()  # type: ignore[assignment]
        for _ in range(6):
            run._wait(1.0)
        run._reporter = None
        self.assertEqual(asked, [1.0, 0.5, 0.25, 0.125, 1.0, 0.5])


class TheServerRefuses(Unkind):
    def test_what_is_refused_is_told_once_kept_and_tried_again(self) -> None:
        for how in ("422 invalid-request", "400 malformed-json", "403 host-not-allowed", "404 run-not-found"):
            with self.subTest(how), Server(on_telemetry(2, how=how)) as server:
                self.logs.clear()
                run = self.run_of(server.url)
                self.assertLess(self.train(run, 200, pause=0.001), STEP_SECONDS_MAX)
                self.assertTrue(server.until(lambda run=run: run._reporter.is_away))  # type: ignore[misc]
                sent = len(server.requests)
                self.train(run, 50, pause=0.001)
                spool = run._reporter._outbox.path  # type: ignore[union-attr]
                run.finish()
                # Once more at the end, and then it is on disk.
                self.assertLessEqual(len(server.requests), sent + 2)
                # Its code, and the detail of these tests.
                self.assertEqual(self.said().count(how.split()[1]), 2)
                self.assertIn("twostep sync", self.said())
                left = twostep.spool.SpoolFile(spool)
                left.close()
                self.assertGreater(len(left.batches), 0)
                self.assertEqual(run.step_count, 250)

    def test_a_run_that_may_not_be_begun_is_told_once(self) -> None:
        with Server(lambda request: "409 run-finished") as server:
            run = self.run_of(server.url)
            self.train(run, 100, pause=0.001)
            run.finish()
            self.assertEqual(len(server.requests), 1)
            self.assertIn("the run could not be created", self.said())

    def test_a_server_that_only_asks_for_other_numbers_is_not_asked_without_a_pause(self) -> None:
        with Server(lambda request: "409 sequence-reused" if request.is_telemetry else None) as server:
            run = self.run_of(server.url)
            self.patch(twostep.reporter, "PAUSE_MAX", 0.5)
            self.patch(twostep.reporter, "PAUSE_FIRST", 0.1)
            self.train(run, 200, pause=0.001)
            self.assertLess(len(server.requests), 12)
            self.patch(twostep.run, "CLOSE_SECONDS", 0.2)

    def test_a_pause_of_years_is_not_believed(self) -> None:
        with Server(lambda request: "503 busy 999999999") as server:
            connection = twostep.reporter.Connection(server.url, None)
            self.assertEqual(connection.call("POST", "/runs", {}).retry_after, 300.0)
            connection.close()


class OnlyNumbersTravel(Unkind):
    def test_losses_that_are_not_finite_travel_by_name(self) -> None:
        with Server() as server:
            run = self.run_of(server.url)
            for loss in (math.nan, math.inf, -math.inf, 1 / 3, None, 2):
                run.step(loss)
            run.finish()
            self.assertEqual(server.column("loss"), ["NaN", "Infinity", "-Infinity", 0.333333333, None, 2.0])

    def test_what_is_no_number_is_left_out_and_told_once(self) -> None:
        with Server() as server:
            run = self.run_of(server.url)
            for _ in range(5):
                run.step("abc", metrics={"good": 1, "bad": object(), "": 2.5}, batch_size=-3, tokens="many")  # type: ignore[arg-type]
            run.finish()
            self.assertEqual(server.stored, list(range(5)))
            self.assertEqual(server.column("metrics")[:1], ["good"])
            self.assertNotIn("loss", server.batches[0]["steps"])
            self.assertEqual(self.said().count("loss of step() must be one number"), 1)
            self.assertEqual(self.said().count("batch_size of step()"), 1)

    def test_more_metrics_than_a_run_may_have_are_left_out(self) -> None:
        with Server() as server:
            run = self.run_of(server.url)
            for i in range(3):
                run.step(1.0, metrics={f"{i}-{j}": 1.0 for j in range(90)})
            run.finish()
            names = {name for batch in server.batches for name in batch["steps"]["metrics"]}
            self.assertEqual(len(names), 200)

    def test_all_that_step_takes_arrives(self) -> None:
        with Server() as server:
            run = self.run_of(server.url)
            run.step(1.0, gradient_norm=3.0, skipped=True, batch_size=64, tokens=640, objective="stage one")
            run.finish()
            steps = server.batches[0]["steps"]
            self.assertEqual(
                {
                    key: steps[key]
                    for key in ("gradientNormSquared", "skipped", "batchSize", "tokens", "objective")
                },
                {
                    "gradientNormSquared": [9.0],
                    "skipped": [1],
                    "batchSize": [64],
                    "tokens": [640],
                    "objective": ["stage one"],
                },
            )


if __name__ == "__main__":
    unittest.main()
