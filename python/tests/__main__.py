"""Runs the tests and prints the plain line `N passed, N failed`; exit status 0 only if nothing failed.

`--standard-library`: only what needs nothing but Python; `--torch`: only what needs PyTorch or another framework, of which those that
are installed are tried.
"""

import argparse
import faulthandler
import sys
import time
import unittest
from pathlib import Path

HERE = Path(__file__).parent
SLOW_SECONDS = 1.0
HANG_SECONDS = 120.0


class Result(unittest.TextTestResult):
    """Counts what passed, which unittest does not: a test with several failing parts is one that failed."""

    def startTestRun(self) -> None:
        super().startTestRun()
        self.passed = 0

    def startTest(self, test: unittest.TestCase) -> None:
        # A test that hangs ends the whole, and says where.
        faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
        self.began = time.monotonic()
        super().startTest(test)

    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        faulthandler.cancel_dump_traceback_later()
        seconds = time.monotonic() - self.began
        if seconds > SLOW_SECONDS:
            self.stream.writeln(f"    ({seconds:.1f} s)")

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        self.passed += 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python3 -m tests")
    parts = parser.add_mutually_exclusive_group()
    parts.add_argument("--standard-library", action="store_true")
    parts.add_argument("--torch", action="store_true")
    given = parser.parse_args()
    loader, suite = unittest.TestLoader(), unittest.TestSuite()
    skipped: set[str] = set()
    if not given.torch:
        names = [f"tests.{path.stem}" for path in sorted(HERE.glob("test_*.py"))]
        suite.addTests(loader.loadTestsFromNames(names))
    if not given.standard_library:
        # A module whose framework is missing says so, and hides no other.
        for folder in ("torch", "adapters", "exports"):
            for path in sorted((HERE / folder).glob("test_*.py")):
                try:
                    suite.addTests(loader.loadTestsFromName(f"tests.{folder}.{path.stem}"))
                except unittest.SkipTest as reason:
                    skipped.add(str(reason))
    runner = unittest.TextTestRunner(resultclass=Result, verbosity=2)
    result = runner.run(suite)
    failed = result.testsRun - result.passed - len(result.skipped) - len(result.expectedFailures)
    failed = max(failed, 0 if result.wasSuccessful() else 1)
    for reason in sorted(skipped | {reason for _, reason in result.skipped}):
        print(f"skipped: {reason}")
    print(f"{result.passed} passed, {failed} failed", flush=True)
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
