"""A server under a path of its host, `https://host/twostep`: what is reported at once, and what waits in a spool."""

from __future__ import annotations

from twostep.sync import sync

from .jobs import JobTest
from .real_server import RealServer


class UnderAPath(JobTest):
    def setUp(self) -> None:
        super().setUp()
        self.server = RealServer("/tools/twostep")
        self.addCleanup(self.server.close)
        self.assertTrue(self.server.url.endswith("/tools/twostep"))

    def test_a_run_is_reported_there_whether_the_address_ends_with_a_slash_or_not(self) -> None:
        for run_id, url in (("plain", self.server.url), ("slash", self.server.url + "/")):
            run = self.run_of(url, run_id=run_id)
            self.train(run, 20)
            run.finish()
            self.assertEqual(self.server.get(f"runs/{run_id}")["step"], 20)

    def test_a_spool_is_sent_there(self) -> None:
        run = self.run_of(self.server.url, run_id="later", mode="offline")
        self.train(run, 20)
        run.finish()
        for path in self.spools():
            sync(path)
        self.assertEqual(self.server.get("runs/later")["step"], 20)
