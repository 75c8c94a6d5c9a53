// The finish: which weights are kept, and that nothing more is asked of the job.

import type { DecisionTest, ProbeScore, RunOptions, ValleyProbe } from '../../protocol/vocabulary.ts'
import { lowestDeviations } from '../constants.ts'
import { bestAverage } from '../estimators/averagedGap.ts'
import { exampleDifference, type Score } from '../estimators/pairedLoss.ts'
import { isSteering } from '../options.ts'
import { formatNumber, formatStep } from '../record/sentences.ts'
import {
  type AnnealWatch,
  bestCheckpoint,
  isBestClear,
  isLowestClear,
  type KeptCheckpoint,
  type KeptWeights,
} from './anneal/annealWatch.ts'
import { lowestCheckpoint, lowestName } from './anneal/lowest.ts'
import { asked, decided, inPhase, replanned, type Turn, updated, withdrawn } from './settle.ts'

export type Keep = 'last' | 'averaged' | { readonly checkpoint: string }

/** Ends the run. `scores` compares the candidates on the held-out set, where there is one. */
export function finished(turn: Turn, options: { keep: Keep; summary: string; test?: DecisionTest }): Turn {
  const { state, observation } = turn
  // Advice ends by itself: only a job that is steered, or a person, is asked to stop.
  const isAsked = isSteering(state.mode) || observation.kind === 'command'
  const ended = updated(
    inPhase(
      withdrawn(turn, () => true),
      'done',
    ),
    {
      anneal: null,
      warmup: null,
      override: null,
      rewarm: null,
      lifecycle: 'finished',
    },
  )
  const asks = isAsked ? asked(ended, [{ kind: 'finish', atStep: state.step, keep: options.keep }]) : ended
  return decided(replanned(asks), {
    kind: 'finish',
    summary: options.summary,
    phaseBefore: state.phase,
    rule: { id: 'finish', version: 1 },
    ...(options.test === undefined ? {} : { test: options.test }),
  })
}

/** The best kept weights that look clearly better than the last ones. */
function bestKept(watch: AnnealWatch, lowest: KeptWeights | null, lastLoss: number): KeptCheckpoint | null {
  const raw = isBestClear(watch, lastLoss) ? watch.best : null
  const averaged = lowest !== null && isLowestClear(lowest, watch, lastLoss) ? lowest : null
  if (averaged !== null && (raw === null || averaged.loss < raw.loss))
    return { ...averaged, checkpoint: lowestCheckpoint }
  return raw === null ? null : { ...raw, checkpoint: bestCheckpoint }
}

type LastScores = {
  readonly last: number
  /** Of the averaged weights; null = there are none. */
  readonly averaged: number | null
}

/** Not `averaged < last`: the last weights may have no loss at all. */
const betterOf = ({ last, averaged }: LastScores): number =>
  averaged !== null && !(last <= averaged) ? averaged : last

const isAveragedBetter = (scores: LastScores): boolean => !Object.is(betterOf(scores), scores.last)

/**
 * The last probe: the last weights are kept, or their average over the last block, or earlier ones. Those were the best of
 * many probes of the same few examples, and so they look better than they are: both are scored once more, on every
 * held-out example, and the later ones, those of the lower rate, are kept if in doubt.
 */
export function finishedAtProbe(turn: Turn, scores: LastScores): Turn {
  const { anneal, lowest, step } = turn.state
  const lastLoss = betterOf(scores)
  const best = anneal === null ? null : bestKept(anneal.watch, lowest, lastLoss)
  // Asked already: the job answered with a plain probe, so it cannot compare.
  const isAsked = anneal?.compared != null
  if (anneal === null || best === null || isAsked || !Number.isFinite(lastLoss))
    return finishedWith(turn, scores, best)
  const { checkpoint } = best
  const comparing = updated(turn, { anneal: { ...anneal, compared: best } })
  return asked(comparing, [{ kind: 'probe', atStep: step, probe: 'valley', checkpoints: [checkpoint] }])
}

/** A job that cannot compare: the kept weights it is, as the probes of the anneal say. */
export function finishedUncompared(turn: Turn): Turn {
  const { anneal, signals } = turn.state
  if (anneal?.compared == null) return turn
  const { probeLosses, averagedLosses } = signals
  const scores = { last: probeLosses.at(-1) ?? Number.NaN, averaged: averagedLosses.at(-1) ?? null }
  return finishedWith(turn, scores, anneal.compared)
}

/** Kept weights and the last ones on the same examples. */
export function finishedByComparison(turn: Turn, probe: ValleyProbe): Turn {
  const { anneal, options } = turn.state
  const compared = anneal?.compared
  if (compared == null) return turn
  const earlier = probe.checkpoints?.find(({ checkpoint }) => checkpoint === compared.checkpoint)
  if (earlier === undefined) return finishedUncompared(turn)
  const scores = { last: probe.raw.loss, averaged: bestAverage(probe)?.loss ?? null }
  const averaged = probe.averaged.find(({ loss }) => loss === scores.averaged)
  const later = isAveragedBetter(scores) && averaged !== undefined ? averaged : probe.raw
  const scoreOf = ({ loss, lossByPart = [] }: ProbeScore): Score => ({
    loss,
    parts: lossByPart,
    examples: probe.examples,
  })
  const { difference, standardError } = exampleDifference(scoreOf(later), scoreOf(earlier))
  const isBetter = Number.isFinite(earlier.loss) && difference > lowestDeviations * standardError
  const test: DecisionTest = {
    key: 'comparison',
    left: { value: difference, standardError },
    relation: '>',
    right: { value: lowestDeviations * standardError, standardError: null },
    satisfied: isBetter,
    hits: { met: isBetter ? 1 : 0, of: 1 },
    probability: null,
  }
  if (isBetter) return finishedWith(turn, scores, { ...compared, loss: earlier.loss }, { test })
  const because =
    `; the ${keptWords(compared, options)} looked better on few examples, but have ${formatNumber(earlier.loss)} ` +
    `on ${formatStep(probe.examples)}`
  return finishedWith(turn, scores, null, { test, because })
}

/** "averaged weights of step 900" */
const keptWords = ({ checkpoint, step }: KeptCheckpoint, options: RunOptions): string =>
  `${checkpoint === lowestCheckpoint ? lowestName(options) : 'weights'} of step ${formatStep(step)}`

function finishedWith(
  turn: Turn,
  scores: LastScores,
  best: KeptCheckpoint | null,
  { test, because = '' }: { test?: DecisionTest; because?: string } = {},
): Turn {
  const { step, options } = turn.state
  const lastLoss = betterOf(scores)
  const loss = best?.loss ?? lastLoss
  const kept =
    best !== null
      ? `the ${keptWords(best, options)} are kept, as the last ones have ${formatNumber(lastLoss)}`
      : isAveragedBetter(scores)
        ? 'averaged weights are kept'
        : 'the last weights are kept'
  const keep: Keep =
    best !== null ? { checkpoint: best.checkpoint } : isAveragedBetter(scores) ? 'averaged' : 'last'
  const summary = `Finished at step ${formatStep(step)}: held-out loss ${formatNumber(loss)}; ${kept}${because}.`
  const known = updated(turn, { keptLoss: Number.isFinite(loss) ? loss : null })
  return finished(known, { keep, summary, ...(test === undefined ? {} : { test }) })
}
