// The sentence over everything: what the run does, where it is, why, and what comes next. One sentence that an
// engineer without the theory understands; the page only tints its words.

import { valleyProbesNeeded } from '../constants.ts'
import { isSteering, offers } from '../options.ts'
import { readSequentialTest } from '../phases/large/sequentialTest.ts'
import type { Proposal, TunerState } from '../state.ts'
import { formatEvidence, formatNumber, formatPair, formatRate, formatStep } from './sentences.ts'

export function headline(state: TunerState): string {
  const { phase, override, lifecycle, mode } = state
  if (lifecycle === 'diverged') return divergedSentence(state)
  if (phase === 'done') return finishedSentence(state)
  if (lifecycle === 'paused') return `Paused at step ${formatStep(state.step)}${ofBudget(state)}.`
  if (override !== null)
    return `Set by hand: ${formatRate(override.learningRate)} until step ${formatStep(override.untilStep)}${override.reason === '' ? '' : ` (${override.reason})`}.`
  if (!isSteering(mode)) return adviceSentence(state)
  if (state.approval.pending !== null) return proposalSentence(state, state.approval.pending)
  if (phase === 'warmup') return warmupSentence(state)
  return phase === 'anneal' ? annealSentence(state) : largeSentence(state)
}

const ofBudget = ({ budgetSteps }: TunerState): string =>
  budgetSteps === null ? '' : ` of ${formatStep(budgetSteps)}`
const place = (state: TunerState): string => `step ${formatStep(state.step)}${ofBudget(state)}`

function divergedSentence({ step, divergence }: TunerState): string {
  const good = divergence.checkpoints.at(-1)
  const kept = good === undefined ? '' : ` Last good checkpoint: step ${formatStep(good.step)}.`
  return `Stopped at step ${formatStep(step)}: the loss diverged a fourth time.${kept}`
}

/** What keeps the rule from comparing. */
function lackingOf(outlook: TunerState['outlook']): string {
  const { probeCount, probesNeeded } = outlook ?? { probeCount: 0, probesNeeded: valleyProbesNeeded }
  return probeCount < probesNeeded
    ? `not enough evidence yet (${probeCount} of ${probesNeeded} probes)`
    : 'no gain of annealing is measured yet'
}

function proposalSentence(state: TunerState, { number, expiresAtStep }: Proposal): string {
  const rate = formatRate(state.largeLearningRate ?? state.learningRate ?? 0)
  return `Waiting for you, ${place(state)}: decision ${formatStep(number)}, to start annealing, awaits approval until step ${formatStep(expiresAtStep)}. The large step goes on at ${rate}.`
}

function warmupSentence(state: TunerState): string {
  const { warmup } = state
  const rate = formatRate(state.learningRate ?? state.plan.segments[0]?.from ?? 0)
  if (warmup?.kind === 'race' && warmup.race.current !== null) {
    const { race } = warmup
    return `Warming up at ${rate}, ${place(state)}: racing rates around ${formatRate(race.reference)}, number ${race.arms.length} now.`
  }
  return `Warming up at ${rate}, ${place(state)}: looking for the largest rate that holds.`
}

function largeSentence(state: TunerState): string {
  const { outlook, budgetSteps, remark } = state
  const start = `Large step at ${formatRate(state.largeLearningRate ?? state.learningRate ?? 0)}, ${place(state)}`
  if (budgetSteps === null) return `${start}: ${openCourse(state)}.`
  const planned = plannedAnneal(state)
  if (outlook?.stayingGain == null || outlook.annealingGain === null) {
    const fallback = planned === null ? '' : ` Without more, annealing starts at step ${formatStep(planned)}.`
    return outlook === null && remark !== null
      ? `${start}. ${remark}${fallback}`
      : `${start}: ${lackingOf(outlook)}.${fallback}`
  }
  const { stayingGain, annealingGain, earliestStep } = outlook
  const next =
    earliestStep === null ? '' : ` Earliest switch at step ${formatStep(Math.max(earliestStep, state.step))}.`
  const verdict =
    stayingGain > annealingGain
      ? 'staying still gains more than annealing'
      : 'annealing gains as much as staying still'
  const pair =
    stayingGain > annealingGain
      ? formatPair(stayingGain, annealingGain)
      : formatPair(annealingGain, stayingGain)
  return `${start}: ${verdict} (${pair}).${next}`
}

/** Where the switch of a run without a budget stands. */
function openCourse({ sequential }: TunerState): string {
  const { evidence, evidenceNeeded, lookCount } = readSequentialTest(sequential)
  if (lookCount === 0) return 'no budget set, and nothing yet that says whether to go on'
  return `going on is still worth it (evidence ${formatEvidence(evidence)} of ${evidenceNeeded} needed against it)`
}

function plannedAnneal({ plan }: TunerState): number | null {
  return plan.segments.find(({ phase }) => phase === 'anneal')?.fromStep ?? null
}

const annealReasons = {
  rule: 'staying still gained no more than annealing',
  tolerance: 'going on gained less than it is worth',
  deadline: 'a tenth of the budget was left',
  fallback: 'by the fallback plan',
  overfitting: 'held-out loss of the averaged weights had stopped falling',
  memorising: 'little of what was learned reached held-out data',
  command: 'asked for by hand',
  guard: 'the loss had diverged a third time',
} as const

function annealSentence(state: TunerState): string {
  const { anneal, learningRate } = state
  if (anneal === null) return `Annealing, ${place(state)}.`
  const rate = learningRate === null ? '' : `, rate ${formatRate(learningRate)}`
  return `Annealing since step ${formatStep(anneal.fromStep)}, ${place(state)}${rate}: ${annealReasons[anneal.reason]}. Ends at step ${formatStep(anneal.toStep)}.`
}

function adviceSentence(state: TunerState): string {
  const applied = state.learningRate === null ? '' : ` The job applies ${formatRate(state.learningRate)}.`
  if (state.mode === 'off') return `Watching only, ${place(state)}.${applied}`
  const { outlook } = state
  if (outlook?.stayingGain == null || outlook.annealingGain === null)
    return `Advice only, ${place(state)}: ${lackingOf(outlook)}.${applied}`
  const verdict = outlook.stayingGain > outlook.annealingGain ? 'would hold' : 'would start annealing'
  return `Advice only: ${verdict} (${formatPair(outlook.stayingGain, outlook.annealingGain)}).${applied}`
}

function finishedSentence(state: TunerState): string {
  const { switchStep, budgetSteps, step, keptLoss } = state
  const { averagedLosses, probeLosses } = state.signals
  // The better of the last and the averaged weights is kept. Without held-out probes these are training losses.
  const loss = keptLoss ?? Math.min(averagedLosses.at(-1) ?? Infinity, probeLosses.at(-1) ?? Infinity)
  const isMeasured = offers(state.options, 'heldOutLoss') && Number.isFinite(loss)
  const end = isMeasured
    ? `Final held-out loss ${formatNumber(loss)}.`
    : `Finished at step ${formatStep(step)}.`
  const switchedAt =
    switchStep === null
      ? 'Never switched.'
      : `Switched at step ${formatStep(switchStep)} of ${formatStep(budgetSteps ?? step)}.`
  return `${end} ${switchedAt}`
}
