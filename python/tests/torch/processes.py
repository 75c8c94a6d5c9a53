"""Starts a job of several processes as a user would, and answers what each of them has written."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import unittest
from pathlib import Path
from typing import Any

import torch

PACKAGE = Path(__file__).parents[2]


def torchrun(
    program: Path, folder: Path, *arguments: str, server_url: str = "", starts_itself: bool = False
) -> tuple[Any, Any, str]:
    """Two processes of a program, each of which writes `<rank>.json` into the folder; with what they logged. `starts_itself`: the
    program starts the second one, without torchrun."""
    if not torch.distributed.is_available() or not torch.distributed.is_gloo_available():
        raise unittest.SkipTest("this PyTorch has no gloo")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", f"--master-port={port}"]
    if starts_itself:
        command = command[:1]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("TWOSTEP_")}
    environment |= {"TWOSTEP_SERVER_URL": server_url} if server_url else {}
    environment |= {"PYTHONPATH": str(PACKAGE), "OMP_NUM_THREADS": "1"}
    environment |= {"TWOSTEP_SPOOL_DIR": str(folder / "spool")}
    done = subprocess.run(
        [*command, str(program), str(folder), *arguments],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=110,
    )
    if done.returncode != 0:
        raise AssertionError(f"{program.name} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    first, second = (json.loads((folder / f"{rank}.json").read_text()) for rank in (0, 1))
    return first, second, done.stderr
