"""docs/ASKED_FOR.md names tests that exist."""

from __future__ import annotations

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).parents[2]


class WhatIsAskedFor(unittest.TestCase):
    def test_every_row_names_tests_that_exist(self) -> None:
        rows = [
            line
            for line in (ROOT / "docs" / "ASKED_FOR.md").read_text().splitlines()
            if "`" in line and line[0] == "|"
        ]
        self.assertGreater(len(rows), 15)
        for row in rows:
            held = row.split("|")[3]
            for part in held.split(";"):
                path, *names = re.findall(r"`([^`]+)`", part)
                text = (ROOT / path).read_text()
                self.assertTrue(names, row)
                for name in names:
                    self.assertIn(name, text, f"{path} of the row {row[:60]}")


if __name__ == "__main__":
    unittest.main()
