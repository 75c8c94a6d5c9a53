"""Each guide holds its example word for word, and each example ends with a switch that the tuner made.

The examples take 20 to 60 seconds each, so they run only where TWOSTEP_TEST_EXAMPLES is set; curl's takes two and always runs.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import unittest

from .needs import PYTHON, ROOT, get, need, run_example, server

os.environ.setdefault("KERAS_BACKEND", "torch")

GUIDES = {
    "pytorch.md": ("pytorch_loop.py", "torch"),
    "huggingface.md": ("huggingface.py", "transformers"),
    "lightning.md": ("lightning_module.py", "lightning"),
    "keras.md": ("keras_fit.py", "keras"),
    "accelerate.md": ("accelerate_loop.py", "accelerate"),
    "optax.md": ("optax_loop.py", "optax"),
    "ray.md": ("ray_train.py", "ray"),
}
CURL = "curl_job.sh"
NOT_ON_EVIDENCE = ("anneal-fallback", "anneal-deadline")


def block(guide: str, language: str) -> str:
    text = (ROOT / "docs" / "guides" / guide).read_text()
    blocks: list[str] = re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return max(blocks, key=len)


class Guides(unittest.TestCase):
    def test_each_holds_its_example_word_for_word(self) -> None:
        for guide, (example, _) in {**GUIDES, "curl.md": (CURL, "")}.items():
            with self.subTest(guide=guide):
                language = "sh" if example == CURL else "python"
                self.assertEqual(block(guide, language), (PYTHON / "examples" / example).read_text())

    def test_links_between_guides_lead_somewhere(self) -> None:
        folder = ROOT / "docs" / "guides"
        for guide in folder.glob("*.md"):
            for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", guide.read_text()):
                self.assertTrue((folder / link).exists(), f"{guide.name}: {link}")


class Examples(unittest.TestCase):
    def test_curl_alone_steers_a_run_to_its_end(self) -> None:
        if shutil.which("curl") is None:
            self.skipTest("curl is missing")
        with server() as url:
            done = subprocess.run(
                ["sh", str(PYTHON / "examples" / CURL)],
                env={**os.environ, "TWOSTEP_SERVER_URL": url},
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
            )
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            run = get(url, "/runs?limit=1")["runs"][0]
            kinds = [d["kind"] for d in get(url, f"/runs/{run['id']}/decisions?limit=200")["decisions"]]
        self.assertIn("fitted y = ", done.stdout)
        self.assertEqual((run["state"], run["phase"], run["step"]), ("finished", "done", 400))
        self.assertIn("switch", kinds)
        self.assertIsNone(run["drift"])

    def ends_with_a_switch_on_evidence(self, guide: str) -> None:
        example, module = GUIDES[guide]
        if not os.environ.get("TWOSTEP_TEST_EXAMPLES"):
            self.skipTest("takes up to a minute: set TWOSTEP_TEST_EXAMPLES=1")
        if need(module) is None:
            self.skipTest(f"{module} is missing: pip install './python[{guide.removesuffix('.md')}]'")
        with server() as url:
            printed, decisions = run_example(url, example)
        self.assertIn("test loss", printed)
        switch = next(d for d in decisions if d["kind"] == "switch")
        self.assertFalse(switch["reason"]["key"].startswith(NOT_ON_EVIDENCE), switch["summary"])
        self.assertEqual(decisions[-1]["kind"], "finish")


for _guide in GUIDES:

    def _test(self: Examples, guide: str = _guide) -> None:
        self.ends_with_a_switch_on_evidence(guide)

    setattr(Examples, f"test_{_guide.removesuffix('.md')}_ends_with_a_switch_on_evidence", _test)


if __name__ == "__main__":
    unittest.main()
