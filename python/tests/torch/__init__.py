"""Tests of the PyTorch half; without PyTorch they are skipped, and say how to install it."""

import importlib.util
import unittest

if importlib.util.find_spec("torch") is None:
    raise unittest.SkipTest(
        "PyTorch is not installed here: pip install torch (some 3 GB), or npm run test:python"
    )

import torch

# Small models: more threads only wait for each other.
torch.set_num_threads(1)
