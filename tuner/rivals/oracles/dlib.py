"""Writes dlib.json: where dlib's own trainer lowers its learning rate on seeded loss sequences.
Run: python3 dlib.py FOLDER, FOLDER being the unpacked sources of dlib 20.0.1 (needs g++; compiles for minutes)."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from sequences import KINDS, losses

THRESHOLDS = [(50, 400), (150, 600), (600, 1800), (2000, 4500)]
RATE = 0.1

here = Path(__file__).parent
sources = Path(sys.argv[1])
cases = []
for index, kind in enumerate(KINDS):
    for number, (threshold, count) in enumerate(THRESHOLDS):
        for noise in [0.0, 0.3] if number < 2 else [0.3]:
            sequence = {"kind": kind, "seed": 300 + 10 * index + 4 * bool(noise) + number, "count": count, "noise": noise}
            cases.append({"sequence": sequence, "settings": {"threshold": threshold}})

lines = []
for case in cases:
    values = losses(**case["sequence"])
    words = ["NaN" if value != value else repr(value) for value in values]
    lines.append(f"{case['settings']['threshold']} {RATE} {len(values)} {' '.join(words)}")

with tempfile.TemporaryDirectory() as folder:
    program = str(Path(folder) / "drive")
    command = ["g++", "-std=c++14", "-O1", "-DDLIB_NO_GUI_SUPPORT", f"-I{sources}", "-o", program]
    if len(sys.argv) > 2:  # a program that was compiled before
        program = sys.argv[2]
    else:
        subprocess.run([*command, str(here / "dlib.cpp"), str(sources / "dlib/all/source.cpp"), "-lpthread"], check=True)
    output = subprocess.run([program], input="\n".join(lines), capture_output=True, text=True, check=True).stdout

blocks = output.split("end\n")[: len(cases)]
for case, block in zip(cases, blocks, strict=True):
    case["changes"] = [[int(step), float(rate)] for step, rate in (line.split() for line in block.splitlines())]

text = json.dumps({"version": "dlib 20.0.1", "rate": RATE, "cases": cases})
(here / "dlib.json").write_text(text + "\n")
