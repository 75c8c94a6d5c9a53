"""The real server, for tests that need its decisions: the built one of this repository, or TWOSTEP_TEST_SERVER_URL."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import unittest
import urllib.request
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).parents[2] / "dist" / "server" / "cli" / "twostep.js"


class RealServer:
    """`twostep serve` in a folder of its own; raises SkipTest where it cannot be started here."""

    def __init__(self, base_path: str = "") -> None:
        self._base_path = base_path
        self._child: subprocess.Popen[str] | None = None
        given = os.environ.get("TWOSTEP_TEST_SERVER_URL")
        self.url = (given or self._start()).rstrip("/")

    def _start(self) -> str:
        node = shutil.which("node")
        if node is None or not PROGRAM.exists():
            raise unittest.SkipTest(
                "the server is not built here: npm run build, or set TWOSTEP_TEST_SERVER_URL"
            )
        self._folder = tempfile.TemporaryDirectory(prefix="twostep-test-server-")
        command = [node, str(PROGRAM), "serve", "--port", "0", "--json", "--data-dir", self._folder.name]
        if self._base_path:
            command += ["--base-path", self._base_path]
        environment = {key: value for key, value in os.environ.items() if not key.startswith("TWOSTEP_")}
        self._child = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, cwd=self._folder.name, env=environment
        )
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            self.close()
            raise RuntimeError("the server ended before it said where it listens")
        return str(json.loads(line)["url"])

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}", timeout=20) as answer:
            return json.load(answer)

    def close(self) -> None:
        if self._child is None:
            return
        self._child.terminate()
        self._child.wait(20)
        if self._child.stdout is not None:
            self._child.stdout.close()
        self._child = None
        self._folder.cleanup()
