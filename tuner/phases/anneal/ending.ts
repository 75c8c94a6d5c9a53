// The end of an anneal: which weights are kept. Earlier ones were the lowest of many probes of the same few examples, so
// they look better than they are: both are scored once more, on every held-out example there is, and the later ones, those
// of the lower rate, are kept if in doubt.

import type { ProbeScore, ValleyProbe } from '../../../protocol/vocabulary.ts'
import { bestAverage } from '../../estimators/averagedGap.ts'
import { exampleDifference } from '../../estimators/pairedLoss.ts'
import { secondDifferenceScatter } from '../../estimators/rise.ts'
import { offers } from '../../options.ts'
import { comparison } from '../../record/evidence.ts'
import type { Anneal } from '../../state.ts'
import { enterDone, keptCheckpoint } from '../enter.ts'
import type { Draft, Outcome, Run } from '../phase.ts'

/** Earlier weights are the result if the last ones lie above them by so many standard errors. */
const clearlyBetter = 2

type LastScores = {
  readonly last: number
  /** Of the averaged weights; null = there are none. */
  readonly averaged: number | null
}

/** Not `averaged < last`: the last weights may have no loss at all. */
const betterOf = ({ last, averaged }: LastScores): number =>
  averaged !== null && !(last <= averaged) ? averaged : last

const isAveragedBetter = (scores: LastScores): boolean => !Object.is(betterOf(scores), scores.last)

/** The last probe: the end, unless kept weights look better, which is asked first. */
export function endedByProbe(run: Run, course: Anneal, scores: LastScores): Outcome {
  const { kept, seen, options } = run
  const lastLoss = betterOf(scores)
  const looksBetter = kept !== null && offers(options, 'checkpoint') && !(lastLoss <= kept.loss)
  if (!looksBetter) return ended(run, course, scores, null)
  // Asked already: the job answered with a plain probe, so it cannot compare.
  if (course.isComparing || !Number.isFinite(lastLoss))
    return ended(run, course, scores, uncompared(run, scores))
  return {
    course: { ...course, isComparing: true },
    ask: [{ kind: 'probe', atStep: seen.step, probe: 'valley', checkpoints: [keptCheckpoint] }],
  }
}

/** A job that cannot compare: earlier weights only where they are better by more than probes scatter. */
export function endedUncompared(run: Run, course: Anneal): Outcome | null {
  if (!course.isComparing) return null
  const { probeLosses, averagedLosses } = run.seen.signals
  const scores = { last: probeLosses.at(-1) ?? Number.NaN, averaged: averagedLosses.at(-1) ?? null }
  return ended(run, course, scores, uncompared(run, scores))
}

function uncompared({ kept, seen }: Run, scores: LastScores): number | null {
  if (kept === null) return null
  const scatter = secondDifferenceScatter(seen.signals.averagedLosses)
  return betterOf(scores) - kept.loss <= clearlyBetter * scatter ? null : kept.loss
}

/** Kept weights and the last ones on the same examples. */
export function endedByComparison(run: Run, course: Anneal, probe: ValleyProbe): Outcome {
  if (!course.isComparing) return { course }
  const earlier = probe.checkpoints?.find(({ checkpoint }) => checkpoint === keptCheckpoint)
  if (earlier === undefined) return endedUncompared(run, course) ?? { course }
  const averaged = bestAverage(probe)
  const scores = { last: probe.raw.loss, averaged: averaged?.loss ?? null }
  const later = isAveragedBetter(scores) && averaged !== undefined ? averaged : probe.raw
  const scoreOf = ({ loss, lossByPart: parts = [] }: ProbeScore) => ({
    loss,
    parts,
    examples: probe.examples,
  })
  const { difference, standardError } = exampleDifference(scoreOf(later), scoreOf(earlier))
  const isBetter = Number.isFinite(earlier.loss) && difference > clearlyBetter * standardError
  const left = { value: difference, standardError }
  const test = comparison('comparison', left, '>', clearlyBetter * standardError, { satisfied: isBetter })
  const looked = { compared: earlier.loss, examples: probe.examples }
  const reached = asProbed(
    run,
    later === probe.raw ? 'raw' : 'averaged',
    later.loss,
    isBetter ? earlier.loss : later.loss,
  )
  return ended(run, course, scores, isBetter ? earlier.loss : null, { test, values: looked, reached })
}

/**
 * A loss over all examples as one over those of the usual probes, which is what was promised: as far from the last weights as
 * they are there. Null = they were not probed.
 */
function asProbed({ seen }: Run, weights: 'raw' | 'averaged', last: number, loss: number): number | null {
  const { probeLosses, averagedLosses } = seen.signals
  const probed = (weights === 'raw' ? probeLosses : averagedLosses).at(-1)
  return probed === undefined ? null : finiteOrNull(probed + (loss - last))
}

const finiteOrNull = (value: number): number | null => (Number.isFinite(value) ? value : null)

/** `keptLoss`: of the earlier weights that are the result; null = the later ones are. */
function ended(
  run: Run,
  course: Anneal,
  scores: LastScores,
  keptLoss: number | null,
  { test, values = {}, reached }: Pick<Draft, 'test' | 'values' | 'reached'> = {},
): Outcome {
  const lastLoss = betterOf(scores)
  const loss = keptLoss ?? lastLoss
  const known = finiteOrNull(loss)
  const isAveraged = isAveragedBetter(scores)
  const which = keptLoss !== null ? 'kept' : isAveraged ? 'averaged' : 'last'
  const keep = keptLoss !== null ? { checkpoint: keptCheckpoint } : isAveraged ? 'averaged' : 'last'
  const draft: Draft = {
    kind: 'finish',
    rule: test === undefined ? 'finish' : 'comparison',
    reason: `finished-${which}`,
    values: {
      step: run.seen.step,
      loss: known,
      lastLoss: finiteOrNull(lastLoss),
      keptStep: run.kept?.step ?? null,
      ...values,
    },
    test,
    promised: course.promised,
    reached: reached === undefined ? known : reached,
  }
  return enterDone(run, { keptLoss: known, reached: draft.reached ?? null, keep }, [draft])
}
