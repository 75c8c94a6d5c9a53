// Clopper and Pearson's bounds of a share: the shares at which so many hits or more, or so many or fewer, have the chance
// that is left. Two-sided 95 %; with no hit the upper bound is one-sided, 1 − .05^(1/n). By bisection on the binomial sum,
// O(50 n); for n up to some thousands.

/** P(X ≤ hits) for n draws with chance p, in logarithms so that nothing underflows. */
function atMost(hits: number, n: number, p: number): number {
  if (p <= 0) return 1
  if (p >= 1) return hits >= n ? 1 : 0
  let logTerm = n * Math.log1p(-p)
  let sum = Math.exp(logTerm)
  for (let k = 1; k <= hits; k++) {
    logTerm += Math.log((n - k + 1) / k) + Math.log(p) - Math.log1p(-p)
    sum += Math.exp(logTerm)
  }
  return Math.min(1, sum)
}

/** Where a function that falls with p passes `level`. */
function crossing(falling: (p: number) => number, level: number): number {
  let [low, high] = [0, 1]
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2
    if (falling(middle) > level) low = middle
    else high = middle
  }
  return (low + high) / 2
}

/** @throws RangeError unless 0 ≤ hits ≤ n and n ≥ 1, both whole. */
export function binomialBounds(hits: number, n: number): { readonly low: number; readonly high: number } {
  if (!Number.isInteger(hits) || !Number.isInteger(n) || n < 1 || hits < 0 || hits > n)
    throw new RangeError(`hits must be a whole number from 0 to n, got ${hits} of ${n}`)
  const tail = hits === 0 || hits === n ? 0.05 : 0.025
  return {
    low: hits === 0 ? 0 : crossing((p) => atMost(hits - 1, n, p), 1 - tail),
    high: hits === n ? 1 : crossing((p) => atMost(hits, n, p), tail),
  }
}
