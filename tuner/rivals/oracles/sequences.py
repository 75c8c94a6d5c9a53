"""Loss sequences by name, the same doubles as testing/lossSequences.ts, and the cases that every rule is run on."""

import math

KINDS = ["falling", "level", "bend", "rising", "stairs", "constant", "broken"]


def sfc32(seed):
    mask = 0xFFFFFFFF
    a, b, c, counter = 0, seed, 0, 1
    drawn = 0
    while True:
        total = (a + b + counter) & mask
        counter = (counter + 1) & mask
        a = b ^ (b >> 9)
        b = (c + (c << 3)) & mask
        c = (((c << 21) | (c >> 11)) + total) & mask
        drawn += 1
        if drawn > 15:
            yield total / 2**32


def course(kind, k, count):
    if kind == "level" or kind == "constant":
        return 1.0
    if kind == "bend":
        return 2 - (2 * k) / count if 2 * k < count else 1.0
    if kind == "rising":
        return 1 + 0.01 * k
    if kind == "stairs":
        return 1 / (1 + k // 25)
    if kind == "broken" and k % 7 == 3:
        return math.nan
    if kind == "broken" and k % 11 == 5:
        return math.inf
    return 0.2 + 2 / (1 + k / 20)


def losses(kind, seed, count, noise):
    draw = sfc32(seed)
    return [course(kind, k, count) + noise * (next(draw) + next(draw) - 1) for k in range(count)]


def changes(rates, first):
    """Only where the rate changed: [[index of the loss, rate after it], …]."""
    out, before = [], first
    for index, rate in enumerate(rates):
        if rate != before:
            out.append([index, rate])
        before = rate
    return out
