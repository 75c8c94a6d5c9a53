"""Writes oracles.json: inputs and expected readings of every estimator, computed with NumPy and SciPy from the
definitions, without looking at the TypeScript. Deterministic. Run: python3 oracles.py (NumPy 2, SciPy 1.17).
"""

import json
from pathlib import Path

import numpy as np
from scipy import optimize, stats

rng = np.random.default_rng(20261124)
T = {}  # name -> case


def floats(array):
    return [float(value) for value in np.asarray(array, dtype=float)]


def long_run_factor(values, parameters=0):
    deviation = np.asarray(values) - np.mean(values)
    squares = deviation @ deviation
    r = 0.0 if squares == 0 else float(deviation[1:] @ deviation[:-1] / squares)
    r += parameters * (1 + r) / len(values)
    r = min(max(r, 0.0), 0.95)
    return float(np.sqrt((1 + r) / (1 - r)))


def cautious_factor(values, parameters):
    deviation = np.asarray(values) - np.mean(values)
    squares = deviation @ deviation
    if squares == 0:
        return 1.0
    r = float(deviation[1:] @ deviation[:-1] / squares)
    r += parameters * (1 + r) / len(values) + 0.8 / np.sqrt(len(values))
    r = min(max(r, 0.0), 0.95)
    return float(np.sqrt((1 + r) / (1 - r)))


def t_deviation(degrees):
    return float(stats.t(degrees).std())


def mean_and_error(values):
    n = len(values)
    error = stats.sem(values) * t_deviation(n - 1) * cautious_factor(values, 1)
    return {"value": float(np.mean(values)), "standardError": float(error), "count": n}


def median_and_error(values):
    n = len(values)
    bias = {4: 1.363, 5: 1.206, 6: 1.200, 7: 1.140, 8: 1.129}[n]  # Croux & Rousseeuw 1992
    sigma = stats.median_abs_deviation(values, scale="normal") * bias
    error = np.sqrt(np.pi / 2) * sigma / np.sqrt(n) * t_deviation(n - 1)
    error *= cautious_factor(stats.rankdata(values), 1)
    return {"value": float(np.median(values)), "standardError": float(error), "count": n}


# -- random.ts: sfc32 on Python's unbounded integers
def sfc32(seed, count):
    mask = 0xFFFFFFFF
    a, b, c, counter = 0, seed, 0, 1
    out = []
    for _ in range(15 + count):
        total = (a + b + counter) & mask
        counter = (counter + 1) & mask
        a = b ^ (b >> 9)
        b = (c + (c << 3)) & mask
        c = (((c << 21) | (c >> 11)) + total) & mask
        out.append(total)
    return out[15:]


T["random"] = [{"seed": s, "words": sfc32(s, 8)} for s in (0, 1, 20261124, 0xFFFFFFFF)]

# -- blocks
steps = np.sort(rng.choice(1500, size=900, replace=False))
values = rng.normal(2.0, 0.5, size=900)


def block_means(steps, values, length, end):
    cells = steps // length
    return [
        {
            "step": int(cell * length),
            "mean": float(values[cells == cell].mean()),
            "count": int((cells == cell).sum()),
        }
        for cell in np.unique(cells)
        if (cell + 1) * length <= end
    ]


long_steps = np.arange(9_000)
long_values = np.sin(long_steps / 700.0)
k = 10
while 9_000 // k >= 256:
    k *= 2
# The last sample closes a block only if it is the block's last step.
end = int(steps[-1]) + 1
T["blocks"] = {
    "gaps": {
        "budgetSteps": 3000,
        "steps": [int(s) for s in steps],
        "values": floats(values),
        "blockSteps": 15,
        "blocks": block_means(steps, values, 15, end),
    },
    "noBudget": {
        "stepCount": 9000,
        "period": 700.0,
        "blockSteps": k,
        "blocks": block_means(long_steps, long_values, k, 9000),
    },
}
ar = np.zeros(200)
for i in range(1, 200):
    ar[i] = 0.7 * ar[i - 1] + rng.normal()
T["longRunFactor"] = [
    {"values": floats(v), "factor": long_run_factor(v)}
    for v in (ar, rng.normal(size=50), np.arange(30.0), (-1.0) ** np.arange(20))
]

# -- gradient noise: real gradients of 40 dimensions, batches of 64 in 4 micro-batches of 16; the last 16 blocks of 2 pairs
dimensions, B, b, pairs_per_block, window = 40, 64, 16, 2, 16
true_gradient = rng.normal(size=dimensions) * 0.3
deviation = rng.uniform(0.2, 1.5, size=dimensions)
full, micro = [], []
for _ in range(3 * 20):
    examples = true_gradient + rng.normal(size=(B, dimensions)) * deviation
    full.append(np.sum(examples.mean(axis=0) ** 2))
    micro.append(np.mean([np.sum(part.mean(axis=0) ** 2) for part in np.split(examples, B // b)]))
full, micro = np.array(full), np.array(micro)
squared = ((B * full - b * micro) / (B - b)).reshape(-1, pairs_per_block).mean(axis=1)[-window:]
trace = ((micro - full) / (1 / b - 1 / B)).reshape(-1, pairs_per_block).mean(axis=1)[-window:]
left_out = np.array(
    [np.delete(trace, i).mean() / np.delete(squared, i).mean() for i in range(window)]
)
jackknife = np.sqrt((window - 1) / window * np.sum((left_out - left_out.mean()) ** 2))
T["gradientNoise"] = {
    "batchSize": B,
    "microBatchSize": b,
    "gradientNormSquared": floats(full),
    "microGradientNormSquared": floats(micro),
    "noiseScale": {
        "value": float(trace.mean() / squared.mean()),
        "standardError": float(jackknife * t_deviation(window - 1) * cautious_factor(left_out, 1)),
        "count": window,
    },
    "traceSigma": mean_and_error(trace),
    "trueTraceSigma": float(np.sum(deviation**2)),
}

# -- curvature: 11 probes, of which the last 8 with a value count
critical = rng.lognormal(0, 0.4, size=11)
curvatures = rng.normal(1.0, 2.0, size=11)
noise = rng.normal(1.5, 1.5, size=11)
rates = rng.uniform(0.05, 0.2, size=11)
T["curvature"] = {
    "criticalLearningRate": floats(critical),
    "curvature": floats(curvatures),
    "noiseCurvature": floats(noise),
    "learningRate": floats(rates),
    "expected": {
        "criticalLearningRate": median_and_error(critical[-8:]),
        "curvature": median_and_error(curvatures[-8:]),
        "noiseCurvature": median_and_error(noise[noise > 0][-8:]),
        "rateRatio": median_and_error((rates / critical)[-8:]),
    },
}

# -- averaged gap: 10 probes of 3 windows
raw = rng.normal(1.0, 0.05, size=10)
averaged = rng.normal(0.8, 0.05, size=(10, 3))
windows = [20, 40, 80]
T["averagedGap"] = {
    "raw": floats(raw),
    "averaged": [floats(row) for row in averaged],
    "windows": windows,
    "gap": median_and_error((raw - averaged.min(axis=1))[-8:]),
    "averagedLoss": float(averaged[-1].min()),
}


# -- valley slope
def least_squares(x, y, w, alpha):
    root = np.sqrt(w)
    design = np.stack([np.ones_like(x), x**-alpha], axis=1)
    coefficients, *_ = np.linalg.lstsq(design * root[:, None], y * root, rcond=None)
    return coefficients, root * (y - design @ coefficients)


def scale_of(residuals):
    n = len(residuals)
    return np.median(np.abs(residuals)) * 1.482602218505602 * np.sqrt(n / (n - 3))


def huber(x, y, w, alpha, sigma):
    """Coefficients, Huber loss in units of sigma, covariance before the factors for short, correlated series."""
    start, _ = least_squares(x, y, w, alpha)
    root = np.sqrt(w)
    design = np.stack([np.ones_like(x), x**-alpha], axis=1) * (root / sigma)[:, None]
    target = y * root / sigma
    result = optimize.least_squares(
        lambda c: design @ c - target, start, jac=lambda c: design, loss="huber", f_scale=1.345,
        xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=5000,
    )
    residuals = target - design @ result.x
    psi = np.clip(residuals, -1.345, 1.345)
    n = len(x)
    spread = (psi @ psi) / (n - 3) / np.mean(np.abs(residuals) <= 1.345) ** 2
    return result.x, result.cost, spread * np.linalg.inv(design.T @ design), residuals


def posterior(x, y, w, at, lowest=0.25, highest=2.0, points=801):
    """Slope and its error by a fine integration over the exponent, flat in its logarithm."""
    alphas = np.geomspace(lowest, highest, points)
    squares = [np.sum(least_squares(x, y, w, a)[1] ** 2) for a in alphas]
    sigma = scale_of(least_squares(x, y, w, alphas[int(np.argmin(squares))])[1])
    fits = [huber(x, y, w, a, sigma) for a in alphas]
    loss = np.array([fit[1] for fit in fits])
    residuals = fits[int(np.argmin(loss))][3]
    factor = long_run_factor(residuals, 3)
    caution = cautious_factor(residuals, 3) / factor
    share = np.exp(-(loss - loss.min()) / factor**2)
    share /= share.sum()
    slope = np.array([a * fit[0][1] * at ** (-a - 1) for a, fit in zip(alphas, fits)])
    inflate = (factor * t_deviation(len(x) - 3)) ** 2
    variance = np.array(
        [(a * at ** (-a - 1)) ** 2 * fit[2][1, 1] * inflate for a, fit in zip(alphas, fits)]
    )
    value = share @ slope
    error = caution * np.sqrt(share @ (variance + (slope - value) ** 2))
    return float(value), float(error)


valley = []
for name, n, asymptote, amplitude, alpha, noise_level, outliers in [
    ("clean", 33, 0.3, 0.5, 0.6, 0.002, 0),
    ("noisy", 40, 1.7, 0.4, 1.2, 0.03, 0),
    ("outliers", 60, 0.1, 0.8, 0.45, 0.01, 5),
    ("rising", 24, 0.9, -0.3, 0.8, 0.01, 1),
    ("eight", 8, 0.3, 0.5, 0.6, 0.004, 0),
]:
    S = 50.0 * np.arange(1, n + 1)
    P = asymptote + amplitude * (S / 1000) ** -alpha + rng.normal(0, noise_level, size=n)
    P[rng.choice(n, size=outliers, replace=False)] += 20 * noise_level
    used = slice(int(0.1 * n), None)
    x, y, w = S[used] / S[-1], P[used], np.ones(n)[used]
    slope_now, error_now = posterior(x, y, w, 1.0)
    slope_later, error_later = posterior(x, y, w, 1.3)
    one = 0.7
    sigma = scale_of(least_squares(x, y, w, one)[1])
    coefficients, _, covariance, residuals = huber(x, y, w, one, sigma)
    inflate = (long_run_factor(residuals, 3) * t_deviation(len(x) - 3)) ** 2
    valley.append(
        {
            "name": name,
            "runLength": floats(S),
            "averagedLoss": floats(P),
            "oneExponent": {
                "exponent": one,
                "asymptote": float(coefficients[0]),
                "amplitude": float(coefficients[1]),
                "asymptoteVariance": float(covariance[0, 0] * inflate),
                "covariance": float(covariance[0, 1] * inflate),
                "amplitudeVariance": float(covariance[1, 1] * inflate),
            },
            "slopeNow": {"value": slope_now / S[-1], "standardError": error_now / S[-1]},
            "slopeLater": {
                "runLength": float(1.3 * S[-1]),
                "value": slope_later / S[-1],
                "standardError": error_later / S[-1],
            },
        }
    )
T["valleySlope"] = valley

# -- cost
step_seconds = rng.uniform(0.01, 0.03, size=500)
signal_seconds = step_seconds * rng.uniform(0, 0.05, size=500)
probe_seconds = rng.uniform(0.1, 0.3, size=10)
total = step_seconds.sum() + probe_seconds.sum()
T["cost"] = {
    "stepSeconds": floats(step_seconds),
    "signalSeconds": floats(signal_seconds),
    "probeSeconds": floats(probe_seconds),
    "signalShare": float(signal_seconds.sum() / total),
    "probeShare": float(probe_seconds.sum() / total),
}

# -- annealing gain: the error by Monte Carlo over independent errors in logs is first order; here by formula
T["annealingGain"] = []
for eta, batch, trace_sigma, trace_error, h, h_error in [
    (1.0, 128, 60.0, 6.0, 0.8, 0.2),
    (0.05, 32, 500.0, 20.0, None, None),
    (3e-4, 256, 4e6, 1e6, 90.0, 45.0),
]:
    factor = 0.7 if h is None else np.exp(0.27 * np.log(eta * h))
    gain = 1.24 * eta * trace_sigma / batch / 4 * factor
    spread = np.log(2.1 if h is None else 1.36)
    relative = spread**2 + (trace_error / trace_sigma) ** 2 + (0 if h is None else 0.27 * h_error / h) ** 2
    T["annealingGain"].append(
        {
            "effectiveLearningRate": eta,
            "batchSize": batch,
            "traceSigma": [trace_sigma, trace_error],
            "noiseCurvature": [h, h_error],
            "value": float(gain),
            "standardError": float(gain * np.sqrt(relative)),
        }
    )

# -- loss smoother: the weights written out
steps = np.cumsum(rng.integers(1, 5, size=60))
losses = rng.lognormal(0, 0.3, size=60)
weights = np.exp(-(steps[-1] - steps) / 10.0)
T["lossSmoother"] = {
    "step": [int(s) for s in steps],
    "loss": floats(losses),
    "value": float(np.average(losses, weights=weights)),
}

path = Path(__file__).with_name("oracles.json")
path.write_text(json.dumps(T, indent=1) + "\n", encoding="utf-8")
