// The sentence over everything: what the run does, where it is, why, and what comes next. One sentence that an engineer
// without the theory understands. What is advised, planned or asked is never told as done; what the job applies is.

import { formatNumber, formatPair, formatRate, formatStep } from '../../protocol/numbers.ts'
import { valleyProbesNeeded } from '../estimators/valleySlope.ts'
import { canJudge, isSteering } from '../options.ts'
import { endOf } from '../plan/bounds.ts'
import type { Anneal, Done, Large, Override, Search, TunerState } from '../state.ts'
import { driftOf, isIgnored, outcomeOf } from './outcome.ts'

export function headline(run: TunerState): string {
  const { course, person, mode } = run
  if (course.kind === 'done') return doneSentence(run, course)
  if (person.isPaused) return `Paused at ${place(run)}.`
  if (person.override !== null) return `${overrideSentence(person.override)}${driftNote(run)}`
  if (!isSteering(mode)) return adviceSentence(run)
  if (person.proposal !== null) return proposalSentence(run)
  if (course.kind === 'search') return `${searchSentence(run, course)}${driftNote(run)}`
  const sentence = course.kind === 'large' ? largeSentence(run, course) : annealSentence(run, course)
  return `${sentence}${driftNote(run)}`
}

const overrideSentence = ({ learningRate, untilStep, reason }: Override): string =>
  `Set by hand: ${formatRate(learningRate)} until step ${formatStep(untilStep)}${reason === '' ? '' : ` (${reason})`}.`

function place(run: TunerState): string {
  const end = endOf(run)
  return `step ${formatStep(run.seen.step)}${end === null ? '' : ` of ${formatStep(end)}`}`
}

/** What the job applies where that is not what is planned. */
function driftNote(run: TunerState): string {
  const drift = driftOf(run)
  if (drift === null) return ''
  return ` But the job applies ${formatRate(drift.applied)}, not the planned ${formatRate(drift.planned)}, since step ${formatStep(drift.sinceStep)}.`
}

function proposalSentence(run: TunerState): string {
  const { number, expiresAtStep } = run.person.proposal!
  const rate = formatRate(run.seen.learningRate ?? 0)
  return `Waiting for you, ${place(run)}: decision ${formatStep(number)}, to start annealing, awaits approval until step ${formatStep(expiresAtStep)}. The large step goes on at ${rate}.`
}

function searchSentence(run: TunerState, { race }: Search): string {
  const rate = formatRate(run.seen.learningRate ?? run.plan.segments[0]?.from ?? 0)
  return `Warming up at ${rate}, ${place(run)}: racing rates around ${formatRate(race.reference)}, number ${race.arms.length} now.`
}

function largeSentence(run: TunerState, course: Large): string {
  const { outlook } = course
  const start = `Large step at ${formatRate(course.rate ?? run.seen.learningRate ?? 0)}, ${place(run)}`
  if (run.budgetSteps === null) return `${start}: ${openCourse(course)}.`
  const planned = run.plan.segments.find(({ phase }) => phase === 'anneal')?.fromStep ?? null
  if (outlook?.stayingGain == null || outlook.annealingGain === null) {
    const next = planned === null ? '' : ` Without more, annealing starts at step ${formatStep(planned)}.`
    return `${start}: ${lacking(run)}.${next}`
  }
  const { earliestStep } = outlook
  const next =
    earliestStep === null
      ? ''
      : ` Earliest switch at step ${formatStep(Math.max(earliestStep, run.seen.step))}.`
  return `${start}: ${comparison(outlook.stayingGain, outlook.annealingGain)}.${next}`
}

function comparison(staying: number, annealing: number): string {
  return staying > annealing
    ? `staying still gains more than annealing (${formatPair(staying, annealing)})`
    : `annealing gains as much as staying still (${formatPair(annealing, staying)})`
}

/** What keeps the rule from comparing. */
function lacking({ options, seen }: TunerState): string {
  if (!canJudge(options))
    return 'nothing that is reported says what annealing would gain; held-out probes of averaged weights would'
  const { count } = seen.signals.valley
  return count < valleyProbesNeeded
    ? `not enough evidence yet (${count} of ${valleyProbesNeeded} probes)`
    : 'no gain of annealing is measured yet'
}

/** Where the switch of a run without a budget stands. */
function openCourse({ diminishing }: Large): string {
  if (diminishing === null) return 'no budget set, and nothing yet that says whether to go on'
  const { gain, worth } = diminishing
  const sides = `as many steps again would take off ${formatNumber(gain.value)} ± ${formatNumber(gain.standardError)}`
  return `${sides}, and are worth it down to ${formatNumber(worth)}`
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

function annealSentence(run: TunerState, course: Anneal): string {
  const isApplied = driftOf(run) === null
  const { learningRate } = run.seen
  const rate = learningRate === null || !isApplied ? '' : `, rate ${formatRate(learningRate)}`
  const what = isApplied ? 'Annealing' : 'To be annealed'
  return `${what} since step ${formatStep(course.fromStep)}, ${place(run)}${rate}: ${annealReasons[course.reason]}. Ends at step ${formatStep(course.toStep)}.`
}

function adviceSentence(run: TunerState): string {
  const { course, mode, seen } = run
  const applied = seen.learningRate === null ? '' : ` The job applies ${formatRate(seen.learningRate)}.`
  if (mode === 'off' || course.kind !== 'large') return `Watching only, ${place(run)}.${applied}`
  if (course.advisedAtStep !== null)
    return `Advice only, ${place(run)}: anneal, advised since step ${formatStep(course.advisedAtStep)}; whether it is done is the job's own affair.${applied}`
  const { outlook } = course
  const why =
    outlook?.stayingGain == null || outlook.annealingGain === null
      ? lacking(run)
      : `hold, as ${comparison(outlook.stayingGain, outlook.annealingGain)}`
  return `Advice only, ${place(run)}: ${why}.${applied}`
}

function doneSentence(run: TunerState, course: Done): string {
  const { step, guard } = run.seen
  if (course.end === 'diverged') {
    const good = guard.checkpoints.at(-1)
    const kept = good === undefined ? '' : ` Last good checkpoint: step ${formatStep(good.step)}.`
    return `Stopped at step ${formatStep(step)}: training came apart a fourth time.${kept}`
  }
  const { keptLoss, isBetter } = outcomeOf(run)!
  const end =
    course.keptLoss === null
      ? `Finished at step ${formatStep(step)}.`
      : `Final held-out loss ${formatNumber(keptLoss!)}.`
  const worse = isBetter === false ? ' It is no better than at its start.' : ''
  return `${end}${worse}${switchNote(run, course)}${driftNote(run)}`
}

function switchNote(run: TunerState, { switchStep }: Done): string {
  if (!isSteering(run.mode)) return ''
  if (switchStep === null) return ' Never switched.'
  if (isIgnored(run, switchStep))
    return ` The anneal that was planned from step ${formatStep(switchStep)} on was not applied.`
  const [end, { step }] = [endOf(run), run.seen]
  const isEarly = end !== null && step < end
  return ` Switched at step ${formatStep(switchStep)}${isEarly ? `, ended at ${formatStep(step)}` : ''} of ${formatStep(end ?? step)}.`
}
