// The final score of "large until a switch, then annealed until a finish", from a trace's ground truth. Between the
// checkpoints it is linear in the switch time; between the lengths of an anneal linear in the logarithm of the
// length. A run that ends above its first loss, or diverged, counts as ending at it: it learned nothing.

import type { CheckpointTruth, Score, TraceRun } from '../traces/format.ts'

/** `finishStep` equal to the budget: annealed to its end. `never`: the rate is never lowered. */
export type Choice = { readonly switchStep: number; readonly finishStep: number } | 'never'

const mix = (a: Score, b: Score, weight: number): Score => ({
  loss: a.loss + (b.loss - a.loss) * weight,
  accuracy: a.accuracy + (b.accuracy - a.accuracy) * weight,
})

function bounded(run: TraceRun, score: Score | undefined): Score {
  const worst = run.loss[0]!
  if (score !== undefined && score.loss <= worst) return score
  return { loss: worst, accuracy: Math.min(score?.accuracy ?? 0, 0.1) }
}

/** Test score after an anneal over `steps` from a checkpoint. Lengths outside those trained count as the nearest. */
export function annealedScore(run: TraceRun, truth: CheckpointTruth, steps: number): Score {
  const known = truth.anneals
    .map(({ toStep, test }) => ({ steps: toStep - truth.step, score: bounded(run, test) }))
    .sort((a, b) => a.steps - b.steps)
  const above = known.findIndex((entry) => entry.steps >= steps)
  if (above < 0) return known.at(-1)!.score
  const [low, high] = [known[above - 1], known[above]!]
  if (low === undefined) return high.score
  return mix(low.score, high.score, Math.log(steps / low.steps) / Math.log(high.steps / low.steps))
}

/** The test score that a choice brings. Switch times outside the checkpoints count as the nearest. */
export function scoreOf(run: TraceRun, choice: Choice): Score {
  if (choice === 'never') return bounded(run, run.final?.test)
  const { switchStep, finishStep } = choice
  const isFull = finishStep >= run.budgetSteps
  const at = (truth: CheckpointTruth): Score =>
    annealedScore(run, truth, isFull ? run.budgetSteps - truth.step : finishStep - switchStep)
  const { checkpoints } = run
  const above = checkpoints.findIndex(({ step }) => step >= switchStep)
  const high = checkpoints[above]
  const low = checkpoints[above < 0 ? checkpoints.length - 1 : above - 1]
  // A diverged run has no checkpoint after its end: what was switched before is still known.
  if (high === undefined)
    return low === undefined || isLost(run, switchStep) ? bounded(run, undefined) : at(low)
  return low === undefined
    ? at(high)
    : mix(at(low), at(high), (switchStep - low.step) / (high.step - low.step))
}

const isLost = ({ divergedAtStep }: TraceRun, step: number): boolean =>
  divergedAtStep !== null && step >= divergedAtStep

/** Every switch × finish that was trained, by the checkpoint's place and the anneal's name. */
export function trainedChoices(run: TraceRun): Choice[] {
  return run.checkpoints.flatMap(({ step, anneals }) =>
    anneals.map(({ toStep }) => ({ switchStep: step, finishStep: toStep })),
  )
}

export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length

/** Runs of one rate, one per seed, in the order of the seeds. */
export type RateRuns = { readonly rate: number; readonly runs: readonly TraceRun[] }

export function byRate(runs: readonly TraceRun[]): RateRuns[] {
  const rates = [...new Set(runs.map(({ rate }) => rate))].sort((a, b) => a - b)
  return rates.map((rate) => ({
    rate,
    runs: runs.filter((run) => run.rate === rate).sort((a, b) => a.seed - b.seed),
  }))
}

/** A run that diverged early lacks late checkpoints: the one that has most. */
export const longestOf = (runs: readonly TraceRun[]): TraceRun =>
  runs.reduce((a, b) => (b.checkpoints.length > a.checkpoints.length ? b : a))

export type Best = { readonly rate: number; readonly choice: Choice; readonly scores: readonly Score[] }

/** What the oracle goes by; lower is better. */
export type Measure = (score: Score) => number
export const byLoss: Measure = ({ loss }) => loss
export const byAccuracy: Measure = ({ accuracy }) => -accuracy

/** The trained choice at one rate with the lowest mean over seeds. */
export function bestAtRate({ rate, runs }: RateRuns, measure: Measure = byLoss): Best {
  const all = [...trainedChoices(longestOf(runs)), 'never' as const].map((choice) => ({
    rate,
    choice,
    scores: runs.map((run) => scoreOf(run, choice)),
  }))
  return lowest(all, measure)
}

function lowest(all: readonly Best[], measure: Measure): Best {
  const level = ({ scores }: Best): number => meanOf(scores.map(measure))
  return all.reduce((a, b) => (level(b) < level(a) ? b : a))
}

/** The best rate × switch × finish by the mean over seeds. */
export const oracleOf = (rates: readonly RateRuns[], measure: Measure = byLoss): Best =>
  lowest(
    rates.map((rate) => bestAtRate(rate, measure)),
    measure,
  )

/**
 * What regret is measured from: the loss of the oracle in loss and the accuracy of the oracle in accuracy. They may
 * be different choices: an overfitted network can be right more often and wrong with more confidence.
 */
export const referenceScores = (inLoss: Best, inAccuracy: Best): Score[] =>
  inLoss.scores.map(({ loss }, seed) => ({ loss, accuracy: inAccuracy.scores[seed]!.accuracy }))
