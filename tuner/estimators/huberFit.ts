// One exponent's fit of y = c + a·x^(−α): by least squares, and by Huber's loss at a fixed scale from there on. The two
// columns are made orthonormal once per α (by hand: it is most of the cost of a probe, and ml-matrix takes a list per row).

/** Huber's k: 95 % as good as least squares on normal noise. Huber 1964. */
export const huberCutoff = 1.345

const iterationsMax = 200
/** Iteration ends when no fitted value moves by more than this share of σ. */
const convergence = 1e-10

/** Rows scaled by the root of their weight, so that every residual has the same σ. */
export type Data = { readonly logX: Float64Array; readonly y: Float64Array; readonly root: Float64Array }
/** Orthonormal columns q and upper triangular R of one exponent's design: q·R = root·(1, x^(−α)). */
export type Design = {
  readonly exponent: number
  readonly q: readonly [Float64Array, Float64Array]
  readonly r: readonly [Pair, Pair]
}
type Pair = readonly [number, number]
/** Coefficients in the orthonormal basis, scaled residuals in units of y, and the loss that was minimised. */
export type Fit = {
  readonly design: Design
  readonly projections: Pair
  readonly residuals: Float64Array
  readonly loss: number
}

/** Gram and Schmidt's way, the second column twice: what rounding leaves of the first is taken out again. */
export function designOf({ logX, root }: Data, exponent: number): Design {
  const n = root.length
  const r00 = Math.sqrt(dot(root, root))
  const q0 = new Float64Array(n)
  const q1 = new Float64Array(n)
  for (let i = 0; i < n; i++) {
    q0[i] = root[i]! / r00
    q1[i] = root[i]! * Math.exp(-exponent * logX[i]!)
  }
  let r01 = 0
  for (let pass = 0; pass < 2; pass++) {
    const along = dot(q0, q1)
    r01 += along
    for (let i = 0; i < n; i++) q1[i]! -= along * q0[i]!
  }
  const r11 = Math.sqrt(dot(q1, q1))
  for (let i = 0; i < n; i++) q1[i]! /= r11
  const r = [
    [r00, r01],
    [0, r11],
  ] as const
  return { exponent, q: [q0, q1], r }
}

export function leastSquares(design: Design, { y }: Data): Fit {
  const projections = [dot(design.q[0], y), dot(design.q[1], y)] as const
  const residuals = without(y, design, projections)
  return { design, projections, residuals, loss: dot(residuals, residuals) }
}

/** y − Q·p. Loops, here and below: over typed arrays they are several times as fast as `map`. */
function without(y: Float64Array, { q: [q0, q1] }: Design, [p0, p1]: Pair): Float64Array {
  const residuals = new Float64Array(y.length)
  for (let i = 0; i < y.length; i++) residuals[i] = y[i]! - q0[i]! * p0 - q1[i]! * p1
  return residuals
}

/**
 * Huber's fit at a fixed scale, from the least-squares fit on. The gradient is Qᵀψ, ψ the clipped residuals, and the
 * curvature QᵀDQ, D = 1 where a residual is not clipped. Where Newton's step is not defined or does not lower the
 * loss, the gradient itself is a step that does, as the curvature is at most 1 (the algorithm of modified residuals).
 */
export function huberFit(start: Fit, sigma: number): Fit {
  let fit: Fit = { ...start, loss: huberLossOf(start.residuals, sigma) }
  for (let iteration = 0; iteration < iterationsMax; iteration++) {
    const { gradient, newton } = descent(fit, sigma)
    // The clipped residuals are orthogonal to the design exactly where the Huber loss is least.
    if (!(Math.hypot(...gradient) > convergence * sigma)) break
    const next = movedFit(fit, newton, sigma)
    fit = next.loss < fit.loss ? next : movedFit(fit, gradient, sigma)
  }
  return fit
}

function descent({ design, residuals }: Fit, sigma: number): { gradient: Pair; newton: Pair } {
  const [q0, q1] = design.q
  const limit = huberCutoff * sigma
  let [g0, g1, h00, h01, h11] = [0, 0, 0, 0, 0]
  for (let i = 0; i < residuals.length; i++) {
    const [a, b, residual] = [q0[i]!, q1[i]!, residuals[i]!]
    const clipped = Math.min(limit, Math.max(-limit, residual))
    g0 += a * clipped
    g1 += b * clipped
    if (clipped !== residual) continue
    h00 += a * a
    h01 += a * b
    h11 += b * b
  }
  const determinant = h00 * h11 - h01 * h01
  return {
    gradient: [g0, g1],
    newton: [(h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant],
  }
}

function movedFit({ design, projections, residuals }: Fit, step: Pair, sigma: number): Fit {
  const moved = without(residuals, design, step)
  return {
    design,
    projections: [projections[0] + step[0], projections[1] + step[1]],
    residuals: moved,
    loss: huberLossOf(moved, sigma),
  }
}

function huberLossOf(residuals: Float64Array, sigma: number): number {
  let loss = 0
  for (const residual of residuals) loss += huberLoss(Math.abs(residual) / sigma)
  return loss
}

const huberLoss = (z: number): number =>
  z <= huberCutoff ? (z * z) / 2 : huberCutoff * (z - huberCutoff / 2)

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}
