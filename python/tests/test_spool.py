"""The spool: in order, bounded, whole after a kill, and it says what was dropped."""

from __future__ import annotations

import json
import os
import unittest
from pathlib import Path
from typing import Any
from unittest import mock

import twostep.reporter
from tests.jobs import JobTest
from tests.servers import Server
from twostep.cli import main
from twostep.spool import Outbox, SpoolFile
from twostep.sync import spools, sync

HEADER = {"client": "c", "sequence": 5, "server": "http://127.0.0.1:9", "run": {"runId": "r"}}


def batch(*steps: int) -> dict[str, Any]:
    return {"planVersion": 1, "steps": {"step": list(steps), "loss": [0.5] * len(steps)}}


class OutboxTest(JobTest):
    def outbox(self, **bounds: int) -> Outbox:
        return Outbox(self.folder / "run" / "c.ndjson", lambda: HEADER, **bounds)

    def drain(self, outbox: Outbox) -> list[int]:
        steps = []
        while (first := outbox.first()) is not None:
            steps += first["steps"]["step"]
            outbox.done()
        return steps

    def test_what_memory_cannot_hold_goes_into_the_file_and_comes_back_in_order(self) -> None:
        outbox = self.outbox(memory=3)
        for i in range(10):
            outbox.add(batch(i))
        self.assertEqual((len(outbox), outbox.is_on_disk), (10, True))
        self.assertEqual(self.drain(outbox), list(range(10)))
        self.assertEqual((self.spools(), outbox.dropped_steps), ([], 0))

    def test_batches_are_added_and_taken_by_turns(self) -> None:
        outbox, taken, added = self.outbox(memory=2), [], 0
        for i in range(300):
            for _ in range(i % 4):
                outbox.add(batch(added))
                added += 1
            if i % 3 and (first := outbox.first()) is not None:
                taken += first["steps"]["step"]
                outbox.done()
        self.assertEqual(taken + self.drain(outbox), list(range(added)))

    def test_the_newest_are_dropped_and_counted_where_there_is_no_room(self) -> None:
        outbox = self.outbox(memory=1, file_bytes=700)
        for i in range(20):
            outbox.add(batch(i, i))
        kept = len(outbox)
        self.assertEqual(outbox.dropped_steps, 2 * (20 - kept))
        self.assertEqual(self.drain(outbox), [i for i in range(kept) for _ in range(2)])
        self.assertIn("700 bytes", str(outbox.problem))

    def test_a_full_disk_costs_the_newest_and_what_was_written_stays_whole(self) -> None:
        outbox = self.outbox(memory=1)
        for i in range(4):
            outbox.add(batch(i))
        real = outbox._file
        assert real is not None

        class Full:
            def write(self, line: bytes) -> int:
                real.write(line[:9])
                raise OSError(28, "No space left on device")

            def __getattr__(self, name: str) -> Any:
                return getattr(real, name)

        outbox._file = Full()  # type: ignore[assignment]
        outbox.add(batch(4, 5))
        outbox._file = real
        outbox.add(batch(6))
        self.assertEqual(outbox.dropped_steps, 2)
        self.assertIn("No space left", str(outbox.problem))
        self.assertEqual(self.drain(outbox), [0, 1, 2, 3, 6])

    def test_a_file_that_is_gone_is_no_fault(self) -> None:
        outbox = self.outbox(memory=1)
        for i in range(3):
            outbox.add(batch(i))
        assert outbox._file is not None
        outbox._file.close()
        self.assertEqual(self.drain(outbox), [])

    def test_the_file_can_be_read_at_every_moment(self) -> None:
        outbox = self.outbox(memory=1)
        for i in range(5):
            outbox.add(batch(i))
        outbox.first()
        outbox.done()
        copy = self.folder / "copy.ndjson"
        copy.write_bytes(outbox.path.read_bytes() + b'{"steps": {"st')  # the process is killed here
        file = SpoolFile(copy)
        self.assertEqual(file.header["sequence"], 5)
        self.assertEqual([b["steps"]["step"][0] for b in file.batches], [0, 1, 2, 3, 4])
        file.close()

    @unittest.skipUnless(hasattr(os, "geteuid"), "users")
    def test_it_is_its_owners_alone_and_nothing_that_was_there_is_written_to(self) -> None:
        mine, planted = self.folder / "mine", self.folder / "run"
        mine.write_text("precious")
        planted.mkdir(mode=0o777)
        (planted / "c.ndjson").symlink_to(mine)
        outbox = self.outbox(memory=0)
        outbox.add(batch(1))
        self.assertEqual(mine.read_text(), "precious")
        self.assertFalse(outbox.path.is_symlink())
        made = Outbox(self.folder / "a" / "b" / "c.ndjson", lambda: HEADER, memory=0)
        made.add(batch(1))
        rights = [oct(path.stat().st_mode & 0o777) for path in (outbox.path, made.path)]
        self.assertEqual(rights, ["0o600", "0o600"])
        for folder in (self.folder / "a", self.folder / "a" / "b"):
            self.assertEqual(oct(folder.stat().st_mode & 0o777), "0o700")
        self.assertEqual(self.drain(outbox) + self.drain(made), [1, 1])

    def test_a_file_that_is_no_spool_is_refused_in_words(self) -> None:
        for text in ("", "{}\n", "[1]\n", "rubbish"):
            path = self.folder / "x.ndjson"
            path.write_text(text)
            with self.assertRaisesRegex(ValueError, "is no spool: its first line must hold client, sequence"):
                SpoolFile(path)


class WhatCannotBeKept(JobTest):
    def test_an_unwritable_spool_is_told_and_training_goes_on(self) -> None:
        path = self.folder / "file"
        path.write_text("no folder")
        run = self.run_of("http://127.0.0.1:9", spool_dir=str(path))
        self.train(run, 200, pause=0.001)
        run.finish()
        self.assertIn("cannot be written", self.said())
        self.assertRegex(self.said(), r"\d+ batches were not delivered, and could not be kept in .*file")

    def test_what_finds_no_room_is_counted_and_told(self) -> None:
        self.patch(twostep.reporter, "QUEUE_STEPS", 50)
        self.patch(twostep.reporter, "SEND_SECONDS", 5.0)
        run = self.run_of("http://127.0.0.1:9", mode="offline")
        self.train(run, 300)
        run.finish()
        self.assertRegex(self.said(), r"2\d\d steps found no room and were dropped")


class Sync(JobTest):
    def spool(self, count: int, **header: Any) -> Path:
        path = self.folder / "r" / "c.ndjson"
        path.parent.mkdir(exist_ok=True)
        lines = [{**HEADER, "sequence": 1, **header}, *(batch(i) for i in range(count)), {"farewell": "done"}]
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return path

    def test_what_the_server_has_already_is_not_sent_again(self) -> None:
        with Server() as server:
            answers = iter(
                [None, None, None, "hang up", "hang up"]
            )  # the first may be a connection grown old
            server.behave = lambda request: next(answers, None)
            path = self.spool(5)
            first = sync(path, server.url)
            self.assertEqual((first.sent, first.left, first.problem), (2, 3, "the server does not answer"))
            self.assertIsNone(sync(path, server.url).problem)
            self.assertEqual((server.stored, server.duplicates), ([0, 1, 2, 3, 4], 0))
            self.assertEqual(server.commands, [{"kind": "finish", "reason": "done"}])

    def test_a_server_that_has_forgotten_gets_all_under_new_numbers(self) -> None:
        with Server() as server:
            self.assertIsNone(sync(self.spool(3, sequence=40), server.url).problem)
            self.assertEqual([b["sequence"] for b in server.batches], [1, 2, 3])

    def test_too_large_batches_are_sent_in_parts(self) -> None:
        with Server() as server:
            server.behave = lambda r: (
                "413 large" if len(r.body.get("steps", {}).get("step", ())) > 2 else None
            )
            path = self.spool(0)
            path.write_text(
                json.dumps({**HEADER, "sequence": 1}) + "\n" + json.dumps(batch(*range(9))) + "\n"
            )
            self.assertIsNone(sync(path, server.url).problem)
            self.assertEqual(server.stored, list(range(9)))

    @unittest.skipUnless(hasattr(os, "geteuid"), "users")
    def test_what_another_user_left_is_sent_to_a_server_that_a_person_names_alone(self) -> None:
        with Server() as server:
            path = self.spool(2, server=server.url)
            with mock.patch.object(os, "geteuid", return_value=os.geteuid() + 1):
                with self.assertRaisesRegex(ValueError, "another user's: `twostep sync .* --server URL`"):
                    sync(path, None, "tw_secret")
                self.assertEqual(server.requests, [])
                self.assertIsNone(sync(path, server.url, "tw_secret").problem)
            self.assertEqual(server.stored, [0, 1])

    def test_a_file_that_a_running_job_writes_is_left_alone(self) -> None:
        outbox = Outbox(self.folder / "r" / "c.ndjson", lambda: HEADER, memory=0)
        outbox.add(batch(1))
        with self.assertRaisesRegex(ValueError, "process that is running"):
            sync(outbox.path, "http://127.0.0.1:9")
        outbox.leave(None)
        self.assertEqual(sync(outbox.path, "http://127.0.0.1:9").left, 1)

    def test_an_offline_job_is_sent_by_the_command_line(self) -> None:
        run = self.run_of("http://127.0.0.1:9", mode="offline", name="night shift", config={"width": 3})
        self.assertLess(self.train(run, 250, pause=0.0005), 0.25)
        self.assertEqual(len(self.spools()), 1, "it is on disk while the job runs, in case it is killed")
        run.finish()
        with Server() as server, mock.patch("builtins.print") as printed:
            self.assertEqual(main(["sync", str(self.folder), "--server", server.url, "--json"]), 0)
            self.assertEqual(server.stored, list(range(250)))
            (created,) = server.runs.values()
            self.assertEqual(
                (created["name"], created["settings"], created["mode"]),
                ("night shift", {"width": 3}, "advisory"),
            )
            told = json.loads(printed.call_args.args[0])
            self.assertEqual((told["left"], told["problem"]), (0, None))
            self.assertEqual(main(["sync", str(self.folder), "--server", server.url]), 0)
        self.assertEqual(list(spools(self.folder)), [])

    def test_the_command_line_says_what_is_left(self) -> None:
        self.spool(2)
        (self.folder / "other.ndjson").write_text("rubbish")
        with mock.patch("builtins.print") as printed:
            self.assertEqual(main(["sync", str(self.folder), "--server", "http://127.0.0.1:9"]), 1)
        told = " ".join(str(call.args[0]) for call in printed.call_args_list)
        self.assertIn("0 batches sent, 2 left: the server does not answer", told)
        self.assertIn("is no spool", told)

    def test_the_next_process_of_a_run_sends_first_what_the_one_before_has_left(self) -> None:
        first = self.run_of("http://127.0.0.1:9", run_id="night", mode="offline")
        self.train(first, 60)
        first._leave_open()
        self.assertEqual(len(self.spools()), 1)
        with Server() as server:
            second = self.run_of(server.url, run_id="night")
            second.load_state_dict(first.state_dict())
            self.train(second, 40)
            second.finish()
            self.assertEqual(server.stored, list(range(100)))
            self.assertEqual(len({b["clientId"] for b in server.batches}), 2)
            self.assertEqual(len(server.commands), 1, "one end, that of the second process")
        self.assertEqual(self.spools(), [])

    def test_a_leftover_that_is_refused_does_not_hold_up_the_run(self) -> None:
        folder = self.folder / "night"
        folder.mkdir()
        (folder / "old.ndjson").write_text("rubbish")
        with Server() as server:
            run = self.run_of(server.url, run_id="night")
            self.train(run, 20)
            run.finish()
            self.assertEqual(server.stored, list(range(20)))
        self.assertIn("is left as it is", self.said())
        self.assertEqual(os.listdir(folder), ["old.ndjson"])


if __name__ == "__main__":
    unittest.main()
