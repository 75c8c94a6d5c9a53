// Without held-out probes the means of the last blocks of training losses stand in for P, at the probes' distance, so that
// the switch can be judged by gradient noise alone.

import { offers } from '../../options.ts'
import { originOf } from '../../plan/bounds.ts'
import { evaluationDistance } from '../../plan/cadence.ts'
import { foldValleyProbe } from '../../signals/signals.ts'
import type { Large } from '../../state.ts'
import type { Outcome, Run } from '../phase.ts'

/** Blocks of which the mean is taken. */
const blocksOfProbe = 3

const standsIn = ({ options, mode }: Run): boolean =>
  mode !== 'off' && !offers(options, 'heldOutLoss') && offers(options, 'microBatchNorms')

/** The step at which the next block of losses is complete; Infinity = nobody asks for it. */
export function nextBlockEnd(run: Run, course: Large): number {
  if (!standsIn(run)) return Infinity
  const { blockSteps } = run.seen.signals.lossBlocks
  const elapsed = run.seen.step - originOf(run)
  const next = originOf(run) + (Math.floor(elapsed / blockSteps) + 1) * blockSteps
  return Math.max(next, course.evaluatedAtStep + evaluationDistance(run))
}

/** Judges at the end of a block, if it is time; null = it is not. */
export function blockProbe(
  run: Run,
  course: Large,
  judged: (run: Run, course: Large) => Outcome,
): Outcome | null {
  const { seen } = run
  const { blocks, blockSteps } = seen.signals.lossBlocks
  const last = blocks.at(-1)
  const elapsed = seen.step - originOf(run)
  if (!standsIn(run) || last === undefined || elapsed !== last.step + blockSteps) return null
  if (seen.step - course.evaluatedAtStep < evaluationDistance(run)) return null
  const recent = blocks.slice(-blocksOfProbe)
  const loss = recent.reduce((sum, block) => sum + block.mean, 0) / recent.length
  const probe = {
    kind: 'valley',
    step: elapsed,
    set: 'train',
    examples: 1,
    seconds: 0,
    raw: { loss },
    averaged: [],
  } as const
  const signals = foldValleyProbe(seen.signals, probe, seen.runLength)
  const folded = { ...run, seen: { ...seen, signals } }
  const outcome = judged(folded, course)
  return { ...outcome, change: { seen: folded.seen, ...outcome.change } }
}
