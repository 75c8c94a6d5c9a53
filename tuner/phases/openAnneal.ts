// How long the anneal of a run without a budget is. Without a budget a step has a price: δ, the loss that it must take
// off to be worth it. A switch at t with an anneal over R steps ends at P(t + R/2) − b·ln R, as the ramp is worth R/2
// full steps, and costs t + R steps: its derivative in t is 0 where p = δ, that in R where b/R = δ − p/2. So
//   R = b/(δ − p/2) for p ≤ δ, between b/δ (p = 0) and 2b/δ = 2b/p (p = δ).
// Somebody who switches while p > δ prices a step at p: then 2b/p. A negative p counts as 0. Bounded by [.1 t, t].

/** The anneal of a run without a budget is at least and at most this multiple of the steps so far. Chosen. */
const openAnnealShareMin = 0.1
const openAnnealShareMax = 1

/** `scale`: b, the loss that an e-fold of R takes off; `slope`: p, and `tolerancePerStep`: δ > 0, loss per step. */
export function openAnnealSteps(input: {
  readonly step: number
  readonly scale: number
  readonly slope: number
  readonly tolerancePerStep: number
}): number {
  const { step, scale, tolerancePerStep } = input
  const slope = Math.max(0, input.slope)
  const steps = scale / (Math.max(tolerancePerStep, slope) - slope / 2)
  return Math.max(
    2,
    Math.ceil(Math.min(Math.max(steps, openAnnealShareMin * step), openAnnealShareMax * step)),
  )
}
