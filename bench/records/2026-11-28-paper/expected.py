"""Steps that gradient descent with momentum needs on a quadratic, in 64 bits: the expected ratios of experiment C.

Prints, for each condition number and momentum: the tuned effective rates, the mean steps, the ratio of steps without
momentum to steps with it. Needs NumPy. Output of 28 November 2026 in expected.txt.
"""

import numpy as np

DIRECTIONS = 32
AIM = 1e-8
CAP = 40_000


def steps(kappa, momentum, effective, start):
    """Steps until the loss is AIM of the start's; None = not within CAP."""
    h = kappa ** (-np.arange(DIRECTIONS) / (DIRECTIONS - 1))
    w, v, rate = start.copy(), np.zeros(DIRECTIONS), effective * (1 - momentum)
    first = 0.5 * (h * w * w).sum()
    for step in range(1, CAP + 1):
        v = momentum * v + h * w
        w = w - rate * v
        loss = 0.5 * (h * w * w).sum()
        if not loss <= 1e6 * first:
            return None
        if loss <= AIM * first:
            return step
    return None


def tuned(kappa, momentum, starts, middle=1.0, refinements=3):
    scores = {}

    def score(rate):
        if rate not in scores:
            scores[rate] = np.mean([np.log(steps(kappa, momentum, rate, s) or 2 * CAP) for s in starts])
        return scores[rate]

    for rate in (middle / 2, middle, middle * 2):
        score(rate)
    while True:
        rates = sorted(scores)
        best = min(rates, key=score)
        if best == rates[0]:
            score(best / 2)
        elif best == rates[-1]:
            score(best * 2)
        else:
            break
    for _ in range(refinements):
        rates = sorted(scores)
        best = min(rates, key=score)
        place = rates.index(best)
        score((rates[place - 1] * best) ** 0.5)
        score((rates[place + 1] * best) ** 0.5)
    return min(scores, key=score)


def main():
    random = np.random.default_rng(0)
    tuning = [random.normal(size=DIRECTIONS) for _ in range(2)]
    starts = [random.normal(size=DIRECTIONS) for _ in range(5)]
    for kappa in (10, 100, 1444):
        plain_rate = tuned(kappa, 0, tuning)
        plain = np.array([steps(kappa, 0, plain_rate, s) for s in starts])
        best = ((np.sqrt(kappa) - 1) / (np.sqrt(kappa) + 1)) ** 2
        for momentum in (best, 0.9):
            rate = tuned(kappa, momentum, tuning)
            heavy = np.array([steps(kappa, momentum, rate, s) for s in starts])
            ratio = np.exp(np.log(plain / heavy).mean())
            print(
                f"kappa {kappa}, momentum {momentum:.3f}: rates {plain_rate:.2f} and {rate:.2f}, "
                f"steps {plain.mean():.1f} and {heavy.mean():.1f}, ratio {ratio:.2f}, root of kappa {kappa**0.5:.1f}"
            )


main()
