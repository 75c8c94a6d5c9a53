"""Writes plans.json and tripwires.json: golden values that every port of the plan's evaluation must reproduce.

Independent of the TypeScript: rates are computed from the definitions in PROTOCOL.md with exact fractions and 50
digit decimals (series for the cosine), and rounded to the nearest double once, at the end. Pure Python 3.9 or
newer, no packages. Run: python3 plans.py
"""

import json
from decimal import Decimal, getcontext
from fractions import Fraction
from pathlib import Path

getcontext().prec = 50
PI = Decimal("3.14159265358979323846264338327950288419716939937510582")


def decimal(fraction):
    return Decimal(fraction.numerator) / Decimal(fraction.denominator)


def cosine(x):
    """Taylor series; x in [0, pi], so 60 terms are far more than 50 digits need."""
    term, total = Decimal(1), Decimal(1)
    for k in range(1, 60):
        term *= -x * x / ((2 * k - 1) * (2 * k))
        total += term
    return total


def rate(segment, step):
    start, stop = segment["fromStep"], segment["toStep"]
    first, last = Decimal(segment["from"]), Decimal(segment["to"])
    if step <= start or segment["shape"] == "constant":
        return first if step < stop else last
    if step >= stop:
        return last
    z = decimal(Fraction(step - start, stop - start))
    if segment["shape"] == "linear":
        return first + (last - first) * z
    if segment["shape"] == "cosine":
        return last + (first - last) * (1 + cosine(PI * z)) / 2
    if segment["shape"] == "oneMinusSqrt":
        return last + (first - last) * (1 - z.sqrt())
    if segment["shape"] == "exponential":
        return first * ((last / first).ln() * z).exp()
    raise ValueError(segment["shape"])


def evaluate(plan, step):
    segments = plan["segments"]
    held = segments[0]
    for segment in segments:
        if segment["fromStep"] <= step:
            held = segment
    return {
        "step": step,
        "learningRate": float(rate(held, step)),
        "momentum": held.get("momentum"),
        "scale": max(held["from"], held["to"]),
    }


def segment(start, stop, shape, first, last, **more):
    return {"fromStep": start, "toStep": stop, "shape": shape, "from": first, "to": last, **more}


PLANS = {
    "one constant segment": [segment(0, 100, "constant", 0.1, 0.1)],
    "linear anneal to zero": [segment(0, 700, "linear", 0.1, 0)],
    "cosine anneal to a hundredth": [segment(0, 1000, "cosine", 0.3, 0.003)],
    "cosine to zero over ten thousand steps": [segment(0, 10_000, "cosine", 0.1, 0)],
    "one minus square root": [segment(50, 1050, "oneMinusSqrt", 0.02, 0.0005)],
    "exponential range test": [segment(0, 400, "exponential", 1e-6, 3)],
    "exponential fall": [segment(10, 17, "exponential", 0.5, 1e-4)],
    "every shape upwards": [
        segment(0, 30, "linear", 0, 0.1),
        segment(30, 60, "cosine", 0.1, 0.2),
        segment(60, 90, "oneMinusSqrt", 0.2, 0.3),
        segment(90, 120, "exponential", 0.3, 0.4),
        segment(120, 150, "constant", 0.4, 0.4),
    ],
    "warmup, large step, anneal, with phases and momentum": [
        segment(0, 90, "exponential", 1e-6, 0.1, momentum=0.9, phase="warmup"),
        segment(90, 4200, "constant", 0.1, 0.1, momentum=0.95, phase="large"),
        segment(4200, 6000, "linear", 0.1, 0, momentum=0, phase="anneal"),
        segment(6000, 6001, "constant", 0, 0, momentum=None, phase="done"),
    ],
    "starts late and jumps between segments": [
        segment(1000, 1001, "constant", 0.25, 0.25),
        segment(1001, 1003, "linear", 0.5, 0.1, momentum=0.5),
        segment(1003, 2000, "oneMinusSqrt", 0.05, 0),
    ],
    "steps beyond the range of 32 bits": [segment(5_000_000_000, 9_000_000_000, "linear", 0.1, 0.01)],
}


def steps_of(segments):
    steps = {0, segments[-1]["toStep"] + 1, segments[-1]["toStep"] + 1_000_000}
    for part in segments:
        start, stop = part["fromStep"], part["toStep"]
        third = start + (stop - start) // 3
        steps |= {start - 1, start, start + 1, third, (start + stop) // 2, stop - 1, stop}
    return sorted(step for step in steps if step >= 0)


def invalid(problem, *segments):
    return {"plan": {"version": 1, "segments": list(segments)}, "problem": problem}


cases = []
for name, segments in PLANS.items():
    plan = {"version": 1, "segments": segments}
    cases.append({"name": name, "plan": plan, "values": [evaluate(plan, s) for s in steps_of(segments)]})

document = {
    "tolerance": 1e-12,
    "toleranceOf": "scale, the segment's larger rate: near the end of a cosine to 0 most digits cancel",
    "plans": cases,
    "invalid": [
        invalid("plan.segments must hold at least one segment, got none"),
        invalid("plan.segments[0].toStep must be a whole number above fromStep 10, got 10",
                segment(10, 10, "constant", 0.1, 0.1)),
        invalid("plan.segments[1].fromStep must be 10, the end of the segment before it, got 11",
                segment(0, 10, "constant", 0.1, 0.1), segment(11, 20, "constant", 0.1, 0.1)),
        invalid("plan.segments[0].from must be a finite rate above 0, got 0",
                segment(0, 10, "exponential", 0, 0.1)),
        invalid("plan.segments[0].to must equal from 0.1 in a constant segment, got 0.2",
                segment(0, 10, "constant", 0.1, 0.2)),
    ],
}


def trips(wire, loss, norm, bad_count):
    if wire is None:
        return False
    over_loss = None not in (wire["lossAbove"], loss) and loss > wire["lossAbove"]
    over_norm = None not in (wire["gradientNormAbove"], norm) and norm > wire["gradientNormAbove"]
    return bad_count >= 5 or over_loss or over_norm


both = {"lossAbove": 3.5, "gradientNormAbove": 40, "thenLearningRate": 0.01}
loss_only = {**both, "gradientNormAbove": None}
norm_only = {**both, "lossAbove": None}
neither = {**loss_only, "lossAbove": None}
tripwires = [
    {
        "tripwire": wire,
        "lossSmoothed": loss,
        "gradientNorm": norm,
        "nonFiniteCount": bad_count,
        "trips": trips(wire, loss, norm, bad_count),
    }
    for wire in (both, loss_only, norm_only, neither, None)
    for loss, norm, bad_count in [
        (None, None, 0),
        (3.5, 40, 0),
        (3.6, None, 0),
        (None, 40.5, 0),
        (1.0, 10.0, 4),
        (1.0, 10.0, 5),
        (None, None, 6),
    ]
]

here = Path(__file__).parent
(here / "plans.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
(here / "tripwires.json").write_text(json.dumps(tripwires, indent=1) + "\n", encoding="utf-8")
