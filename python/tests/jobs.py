"""What the tests have in common: a folder of their own, no settings of a person's, short waits, and a training loop."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import time
import unittest
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import twostep
import twostep.follow
import twostep.reporter
import twostep.run


class JobTest(unittest.TestCase):
    """Faults of the client are log lines: `self.logs` has them, and a traceback among them fails the test."""

    allows_faults = False

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="twostep-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        stack = ExitStack()
        self.addCleanup(stack.close)
        kept = {key: value for key, value in os.environ.items() if not key.startswith("TWOSTEP_")}
        stack.enter_context(mock.patch.dict(os.environ, kept, clear=True))
        for module, name, value in (
            (twostep.reporter, "SEND_SECONDS", 0.01),
            (twostep.reporter, "PAUSE_FIRST", 0.005),
            (twostep.reporter, "PAUSE_MAX", 0.05),
            (twostep.reporter, "AWAY_CLOSE_SECONDS", 0.2),
            (twostep.follow, "POLL_SECONDS", 0.01),
        ):
            stack.enter_context(mock.patch.object(module, name, value))
        self.patches = stack
        self.logs: list[logging.LogRecord] = []
        handler = logging.Handler()
        handler.emit = self.logs.append  # type: ignore[method-assign]
        log = logging.getLogger("twostep")
        log.addHandler(handler)
        log.propagate = False
        self.addCleanup(log.removeHandler, handler)
        self.runs: list[twostep.Run] = []
        self.addCleanup(self._close)

    def _close(self) -> None:
        for run in self.runs:
            run._leave_open()
        if not self.allows_faults:
            faults = [record.getMessage() for record in self.logs if record.exc_info]
            self.assertEqual(faults, [], "a fault of the client")

    def patch(self, target: Any, name: str, value: Any) -> None:
        self.patches.enter_context(mock.patch.object(target, name, value))

    def said(self) -> str:
        return "\n".join(record.getMessage() for record in self.logs)

    def run_of(self, server_url: str, **settings: Any) -> twostep.Run:
        settings = {"budget_steps": 1000, "server_url": server_url, "spool_dir": str(self.folder), **settings}
        run = twostep.init("tests", **settings)
        self.runs.append(run)
        return run

    def train(self, run: twostep.Run, steps: int, pause: float = 0.0, loss: float = 1.0) -> float:
        """Takes steps, and answers the longest time that one of them took after the first, which begins the run."""
        longest = 0.0
        for i in range(steps):
            began = time.perf_counter()
            run.step(loss)
            if i > 0:
                longest = max(longest, time.perf_counter() - began)
            if pause:
                time.sleep(pause)
        return longest

    def spools(self) -> list[Path]:
        return sorted(self.folder.glob("**/*.ndjson"))
