"""Tests of the reference client. With TWOSTEP_SERVER_URL set, whole runs against that server, too."""
import json, os, subprocess, sys, tempfile, threading, time, unittest, urllib.error, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import referenceClient as client

HERE = Path(__file__).parent
SERVER = os.environ.get("TWOSTEP_SERVER_URL", "").rstrip("/")


class Golden(unittest.TestCase):
    def test_all_golden_values_hold(self):
        held, total = client.check(HERE)
        self.assertEqual(held, total)
        self.assertGreater(total, 100)

    def test_a_tripwire_smooths_and_counts(self):
        wire, limits = client.Tripwire(), {"lossAbove": 2, "gradientNormAbove": 3, "thenLearningRate": 0.01}
        self.assertFalse(wire.watch(limits, 1.0, 9.0))
        self.assertFalse(wire.watch(limits, 11.0, None))  # smoothed: 1 + (11 - 1) / 10 = 2, not above
        self.assertTrue(wire.watch(limits, 3.0, None))
        self.assertFalse(wire.watch(limits, 3.0, None))  # has tripped before
        self.assertTrue(client.Tripwire().watch(limits, 1.0, 9.1))
        wire = client.Tripwire()
        self.assertEqual([wire.watch(limits, float("nan"), None) for _ in range(5)], [False] * 4 + [True])

    def test_the_line_probe_of_a_quadratic(self):
        a, job = 3.0, client.Job.__new__(client.Job)
        notes = []
        job.problem = SimpleNamespace(training=list(range(300)), loss=lambda w, _: a * client.dot(w, w) / 2,
                                      gradient=lambda w, batch: (0.0, [a * x + b / 99 for x, b in zip(w, batch)]))
        job.weights, job.last, job.critical, job.k = [0.7, -0.2], ([3.0, 0.5], 0.05), 0.0, 5
        job.draw, job.plan = client.random.Random(1), client.own_plan(0, 100)
        job.reporter = SimpleNamespace(note=lambda kind, probe: notes.append(probe))
        job.line()
        before, u = [0.7 + 0.15, -0.2 + 0.025], [3.0, 0.5]
        exact = 2 * a * client.dot(before, u) / (a * client.dot(u, u))
        self.assertAlmostEqual(notes[0]["noiseCurvature"], a, places=6)
        self.assertAlmostEqual(notes[0]["curvature"], a * client.dot(u, u), places=6)
        self.assertTrue(exact < notes[0]["criticalLearningRate"] < 1.2 * exact)

    def test_windows_hold_whole_blocks(self):
        averages = client.Averages()
        for k in range(1, 46):
            averages.add([float(k)], 20)
        self.assertEqual(averages.mean(1), (20, [(24 + 28 + 32 + 36 + 40) / 5]))
        self.assertEqual(averages.mean(4), (40, [22.0]))
        averages.add([46.0], 3)  # 5 of 20 is less than half: thrown away
        averages.add([47.0], 3)
        averages.add([48.0], 3)
        self.assertEqual(averages.mean(1), (3, [47.0]))


def ask(path, method="GET"):
    request = urllib.request.Request(f"{SERVER}/api/v1/runs/{path}", method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read().decode()
    return json.loads(text) if text[:1] == "{" else text


class Unkind(BaseHTTPRequestHandler):
    """Hands requests on to the server; some it refuses, of some it loses the answer, and for a while it is away."""
    posts, asleep = 0, (0.0, 0.0)

    def pass_on(self, body=None):
        kind = Unkind.posts = Unkind.posts + (body is not None)
        since = time.monotonic()
        if Unkind.asleep[0] < since < Unkind.asleep[1] or (body is not None and kind % 9 == 3):
            return self.connection.close()
        if body is not None and kind % 9 == 6:
            self.send_response(503)
            self.send_header("Retry-After", "0")
            self.end_headers()
            return self.wfile.write(b'{"status": 503, "code": "run-busy"}')
        head = {key: self.headers[key] for key in ("Content-Type", "Content-Encoding") if key in self.headers}
        try:
            answer = urllib.request.urlopen(urllib.request.Request(SERVER + self.path, body, head, method=self.command))
        except urllib.error.HTTPError as error:
            answer = error
        text = answer.read()
        if body is not None and kind % 9 == 8:
            return self.connection.close()  # applied, and nobody hears of it
        self.send_response(answer.status)
        self.end_headers()
        self.wfile.write(text)

    def do_POST(self):
        self.pass_on(self.rfile.read(int(self.headers["Content-Length"])))

    def do_GET(self):
        self.pass_on()

    def log_message(self, *_):
        pass


@unittest.skipUnless(SERVER, "TWOSTEP_SERVER_URL is not set")
class WholeRuns(unittest.TestCase):
    def train(self, *words, server=None, code=0):
        program = [sys.executable, str(HERE / "referenceClient.py"), "--server", server or SERVER, "--json", *words]
        done = subprocess.run(program, capture_output=True, text=True, timeout=180)
        self.assertEqual((done.returncode, done.stderr), (code, ""))
        return json.loads(done.stdout) if done.stdout else None

    def whole(self, summary, steps, first=0, refused=0):
        """Ended, nothing refused, each step stored once."""
        run = ask(summary["runId"])
        self.assertEqual((run["state"], summary["state"]), ("finished", "finished"))
        self.assertEqual((summary["refused"], summary["left"], summary["dropped"]), (refused, 0, 0))
        self.assertTrue(run["outcome"]["isBetter"])
        self.assertEqual(sum(run["badSamples"].values()), 0)
        self.assertIsNone(run["drift"])
        lines = ask(f"{summary['runId']}/schedule?format=csv").split()[1:]
        rows = [line.split(",") for line in lines if line.endswith(",applied")]
        self.assertEqual([int(row[0]) for row in rows], list(range(first, first + steps)))
        loss = ask(f"{summary['runId']}/series?signals=loss")["signals"]["loss"]
        self.assertEqual(sum(loss["count"]), steps)
        return run, [float(row[1]) for row in rows]

    def annealed(self, run, rates):
        self.assertLess(rates[-1], 0.01 * run["largeLearningRate"])
        self.assertEqual(run["plan"]["segments"][-1]["to"], 0)

    def test_all_that_a_job_can_offer(self):
        for seed in ("1", "2"):
            summary = self.train("--steps", "1500", "--seed", seed)
            self.assertIsNone(summary["stoppedBecause"])
            self.assertEqual(summary["duplicates"], 0)
            self.annealed(*self.whole(summary, 1500))

    def test_only_the_loss(self):
        summary = self.train("--steps", "500", "--only-loss")
        self.assertEqual(summary["keep"], "last")
        self.annealed(*self.whole(summary, 500))

    def test_nobody_approves(self):
        self.annealed(*self.whole(self.train("--steps", "800", "--mode", "approve"), 800))

    def test_advice_only_and_a_late_counter(self):
        self.whole(self.train("--steps", "400", "--mode", "advisory"), 400)
        for first in (1, 100, 1000):
            self.annealed(*self.whole(self.train("--steps", "400", "--first-step", str(first)), 400, first))

    def test_no_budget(self):
        summary = self.train("--steps", "500", "--no-budget")
        self.assertEqual(summary["stoppedBecause"], "all steps are taken")
        self.whole(summary, 500)

    def test_a_crash_and_a_new_process(self):
        for halt in ("401", "430"):  # at 401 the steps before the job's own checkpoint at 400 are hardly all sent
            with tempfile.TemporaryDirectory() as folder:
                words = ["--steps", "800", "--state", f"{folder}/state.json", "--run-id", f"crash-{time.time_ns():x}"]
                self.train(*words, "--halt-at", halt, code=3)
                summary = self.train(*words, "--resume")
            run = ask(summary["runId"])
            lines = ask(f"{summary['runId']}/schedule?format=csv").split()[1:]
            rows = [line for line in lines if line.endswith(",applied")]
            self.assertEqual((run["state"], summary["refused"], len(rows)), ("finished", 0, 800))

    def test_an_unkind_network(self):
        proxy = ThreadingHTTPServer(("127.0.0.1", 0), Unkind)
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        Unkind.asleep = (time.monotonic() + 2, time.monotonic() + 4)
        summary = self.train("--steps", "1000", server=f"http://127.0.0.1:{proxy.server_port}")
        proxy.shutdown()
        proxy.server_close()
        self.assertGreater(summary["duplicates"], 0)
        self.annealed(*self.whole(summary, 1000))


if __name__ == "__main__":
    unittest.main()
