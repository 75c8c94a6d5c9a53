"""The rates of an exported file, which needs Python alone, against the run's own table."""

from __future__ import annotations

import json
import math

from tests.exports.runs import FORMATS, NAME, ExportTest, begun, ended, held, long


class TheRatesOfAnExportedFile(ExportTest):
    make = (ended, begun, long)

    def test_each_applied_rate_is_the_very_number_and_each_gap_has_the_rate_before_it(self) -> None:
        for run_id in ("ended", "begun"):
            applied = held(self.server.rates(run_id, "applied"))
            for kind in FORMATS:
                with self.subTest(run=run_id, format=kind):
                    rate = self.load(run_id, kind).learning_rate
                    self.assertEqual({step: rate(step) for step in applied}, applied)
        self.assertEqual((min(applied), max(applied), len(applied)), (1000, 1927, 928))
        self.assertGreater(len(set(applied.values())), 100)

    def test_the_planned_rates_are_the_servers_to_the_last_bits(self) -> None:
        planned = self.server.rates("begun", "planned")
        self.assertEqual((min(planned), max(planned)), (1928, 1999))
        for kind in FORMATS:
            rate = self.load("begun", kind).learning_rate
            for step, expected in planned.items():
                self.assertTrue(math.isclose(rate(step), expected, rel_tol=1e-15), (kind, step))

    def test_before_the_first_step_and_after_the_last_a_rate_holds(self) -> None:
        applied = self.server.rates("ended", "applied")
        for kind in FORMATS:
            rate = self.load("ended", kind).learning_rate
            self.assertEqual([rate(-5), rate(600), rate(10**9)], [applied[0], applied[599], applied[599]])
            rate = self.load("begun", kind).learning_rate
            first = self.server.rates("begun", "applied")[1000]
            self.assertEqual([rate(0), rate(999), rate(2000), rate(10**9)], [first, first, 0.0, 0.0])

    def test_a_file_tells_what_it_holds(self) -> None:
        text = self.save("begun", "pytorch").read_text(encoding="utf-8")
        head = text.split("\n", 5)
        self.assertEqual(head[0], '# Learning rates of run "begun", made by Twostep.')
        self.assertEqual(head[1], f"# Its name: {json.dumps(NAME)}, in project {json.dumps('default')}.")
        self.assertEqual(head[2], "# Applied: steps 1000 to 1927. Planned: steps 1928 to 1999.")
        self.assertIn("between 0.85 and 0.9", head[3])
        self.assertEqual(self.load("begun", "pytorch").FIRST_STEP, 1000)

    def test_a_hundred_thousand_rates_are_a_small_file_and_each_is_the_very_number(self) -> None:
        applied = self.server.rates("long", "applied")
        self.assertEqual(len(applied), 100_000)
        self.assertGreater(len(set(applied.values())), 90_000)
        for kind in FORMATS:
            self.assertLess(self.save("long", kind).stat().st_size, 16_000)
        rate = self.load("long", "pytorch").learning_rate
        self.assertEqual([rate(step) for step in applied], list(applied.values()))
