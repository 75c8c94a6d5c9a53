// Folds samples one by one, so how they were batched makes no difference: cleans what the job reports, hands it to the
// signals and the guard, and asks what may have to be decided at this step. The usual sample decides nothing: it moves
// `seen` alone, with the rows beside it (stretch.ts), and a whole state is made only where something may happen.
// Cost: O(1) per sample.

import { segmentsRate } from '../../protocol/plan.ts'
import type { Observation } from '../../protocol/vocabulary.ts'
import { lossSmoother } from '../estimators/lossSmoother.ts'
import { isDrifting, watchRate } from '../guard/drift.ts'
import { signOf } from '../guard/signs.ts'
import { isPassed } from '../guard/tripwire.ts'
import { watchedAfresh, watchLate, watchSample } from '../guard/watch.ts'
import { isSteering } from '../options.ts'
import { wakeAt } from '../phases/phases.ts'
import { endOf } from '../plan/bounds.ts'
import { issuedPlan } from '../plan/planOf.ts'
import { watchedRivals } from '../rivals/counterfactuals.ts'
import type { RivalObservation } from '../rivals/rival.ts'
import { charted, settle, type Turn, updated } from '../settle.ts'
import { chartPoint } from '../signals/charts.ts'
import { foldSample, signalsBackTo } from '../signals/signals.ts'
import { largeRateOf, type Seen, type TunerState } from '../state.ts'
import { leftOut, placeOf, type Report, reportAt } from './clean.ts'
import { questions } from './questions.ts'
import { regimeAtSample } from './regime.ts'
import { runLengthPerStepMax, stretchOf } from './stretch.ts'

export function foldSamples(
  turn: Turn,
  { columns, planVersion }: Extract<Observation, { kind: 'samples' }>,
): Turn {
  let settled = following(turn, planVersion)
  let { seen } = settled.state
  let wake = wakeOf(settled.state)
  let isHeard = false
  for (let index = 0; index < columns.step.length; ) {
    const before = seen
    const stretch = stretchOf(settled.state, seen, { columns, from: index, wake })
    seen = stretch?.seen ?? seenAfter(settled.state, seen, reportAt(columns, index))
    index = stretch?.to ?? index + 1
    // A report that was left out moves no clock, so it brings no question forward.
    const isCounted = seen.step !== before.step
    isHeard ||= isCounted
    const isDue = isCounted && seen.step >= wake
    if (!isDue && !isEventful(settled.state, before, seen)) continue
    settled = asked(withSeen(settled, seen), before)
    seen = settled.state.seen
    wake = wakeOf(settled.state)
  }
  // Nor does a batch of such reports alone say which plan is followed.
  const { followed } = (isHeard ? settled : turn).state
  return seen === settled.state.seen && isHeard ? settled : updated(settled, { seen, followed })
}

/** The usual change of a state; each field is named, as spreading them would be a tenth of the fold. */
const withSeen = ({ observation, state, decisions, readings }: Turn, seen: Seen): Turn => ({
  observation,
  state: {
    tunerVersion: state.tunerVersion,
    runId: state.runId,
    options: state.options,
    mode: state.mode,
    budgetSteps: state.budgetSteps,
    lifecycle: state.lifecycle,
    seen,
    course: state.course,
    trajectory: state.trajectory,
    person: state.person,
    kept: state.kept,
    regime: state.regime,
    regimeKnown: state.regimeKnown,
    phases: state.phases,
    plan: state.plan,
    issued: state.issued,
    followed: state.followed,
    actions: state.actions,
    actionCount: state.actionCount,
    branches: state.branches,
    branchCount: state.branchCount,
    decisionCount: state.decisionCount,
  },
  decisions,
  readings,
})

/** The plan that the batch says it followed. */
function following(turn: Turn, version: number | undefined): Turn {
  const { followed, issued } = turn.state
  if (version === undefined) return followed === null ? turn : updated(turn, { followed: null })
  if (followed?.version === version) return turn
  const plan = issuedPlan(issued, version)
  // What is pinned is the version that was named, so that it is known again however many are issued meanwhile.
  return updated(turn, { followed: plan === null ? followed : { ...plan, version } })
}

/** What `seen` is after a report. */
function seenAfter(run: TunerState, seen: Seen, report: Report): Seen {
  const timed = { budgetSteps: run.budgetSteps, seen }
  const place = placeOf(seen, report.step, endOf(timed))
  if (place === 'back') return moved(run, wentBack(seen, report.step), report)
  if (place === 'next') return moved(run, seen, report)
  const counted = leftOut(seen, place, report.step)
  return place === 'ahead' || !isSteering(run.mode)
    ? counted
    : { ...counted, guard: watchLate(counted.guard, report.loss) }
}

/** The run goes on from an earlier step, with the weights that the job had there; one before the first is the first. */
function wentBack(seen: Seen, step: number): Seen {
  const origin = Math.min(seen.origin ?? 0, step)
  const share = seen.step > origin ? Math.max(0, step - origin) / (seen.step - origin) : 0
  return {
    ...seen,
    origin,
    step,
    runLength: seen.runLength * share,
    signals: signalsBackTo(seen.signals, step - origin),
    guard: watchedAfresh(seen.guard),
    rivals: null,
  }
}

/** The moving fields after a sample that is next; each is named, as spreading them is most of what a sample would cost. */
function moved(run: TunerState, seen: Seen, report: Report): Seen {
  const { course, trajectory, mode } = run
  const { step } = report
  const learningRate = report.learningRate ?? assumedRate(run, seen, step)
  const isValid = trajectory.awaited === null && step >= trajectory.validFromStep
  const isCounted = isValid && (course.kind === 'large' || course.kind === 'anneal')
  const origin = seen.origin ?? step
  const isFirst = seen.origin === null
  // A job that logs each so many steps begins with the first of them.
  const isSure = seen.isOriginSure || !isFirst
  const stride = step - origin
  const sureOrigin = !seen.isOriginSure && stride > 1 && origin <= stride ? 0 : origin
  const reference = largeRateOf(course) ?? learningRate
  const strideSteps = isFirst ? 1 : Math.max(1, step + 1 - seen.step)
  const { gradientNormSquared, loss } = report
  return {
    origin: sureOrigin,
    isOriginSure: isSure,
    isResumed: false,
    step: step + 1,
    strideSteps,
    ahead: null,
    learningRate,
    momentum: report.momentum ?? seen.momentum,
    objective: report.objective ?? seen.objective,
    runLength:
      isCounted && learningRate !== null && reference !== null && reference > 0
        ? seen.runLength + strideSteps * Math.min(learningRate / reference, runLengthPerStepMax)
        : seen.runLength,
    signals: counted(foldSample(seen.signals, report, step - sureOrigin), report),
    guard: isValid
      ? watchSample(seen.guard, {
          step,
          loss,
          gradientNorm: gradientNormSquared === null ? null : Math.sqrt(gradientNormSquared),
          batchSize: report.batchSize,
        })
      : seen.guard,
    drift:
      report.learningRate !== null && isSteering(mode) && course.kind !== 'done'
        ? watchRate(seen.drift, driftView(run, step), step, report.learningRate)
        : seen.drift,
    rivals:
      isCounted && loss !== null
        ? rivalsAfter(
            run,
            { rivals: seen.rivals, learningRate },
            { kind: 'step', step, loss, weightNormSquared: null },
          )
        : seen.rivals,
  }
}

/** The rivals after one more observation; they see what belongs to the large step, at its rate. */
export function rivalsAfter(
  { course, trajectory }: TunerState,
  { rivals, learningRate }: Pick<Seen, 'rivals' | 'learningRate'>,
  observation: RivalObservation,
): Seen['rivals'] {
  const fromStep = course.kind === 'large' ? Math.max(trajectory.validFromStep, course.fromStep) : null
  return watchedRivals(rivals, observation, { fromStep, rate: largeRateOf(course) ?? learningRate })
}

/** What drift is judged by: the plans that the job may follow, and whether they climb. */
function driftView({ plan, issued, followed, course, options }: TunerState, step: number) {
  const rampEnd = course.kind === 'large' ? (course.ramp?.toStep ?? 0) : 0
  return { plan, issued, followed, isClimbing: options.warmupSteps !== null && step < rampEnd }
}

/** A job that does not tell its rate is taken to follow the plan; where it goes its own way, nothing is known. */
const assumedRate = (
  { mode, plan, followed }: TunerState,
  { learningRate }: Seen,
  step: number,
): number | null => (isSteering(mode) ? segmentsRate((followed ?? plan).segments, step) : learningRate)

/** Counts what was wrong with the numbers of a sample. */
function counted(signals: Seen['signals'], report: Report): Seen['signals'] {
  const { loss, isSkipped } = report
  const isBadLoss = isBad(loss)
  const isBadNorm =
    isBad(report.gradientNormSquared) ||
    isBad(report.microGradientNormSquared) ||
    isBad(report.preconditionedGradientNormSquared) ||
    isBad(report.preconditionedMicroGradientNormSquared)
  if (!isBadLoss && !isBadNorm && !isSkipped) return signals
  const { badSamples } = signals
  const nonFinite = badSamples.nonFinite + (isBadLoss ? 1 : 0)
  const nonFiniteNorms = badSamples.nonFiniteNorms + (isBadNorm ? 1 : 0)
  const skipped = badSamples.skipped + (isSkipped ? 1 : 0)
  return { ...signals, badSamples: { ...badSamples, nonFinite, nonFiniteNorms, skipped } }
}

const isBad = (value: number | null): boolean => value !== null && !Number.isFinite(value)

/** Up to this step nobody has anything to decide by samples alone, unless something happens in them. */
function wakeOf(run: TunerState): number {
  const { override, proposal } = run.person
  return Math.min(wakeAt(run), override?.untilStep ?? Infinity, proposal?.expiresAtStep ?? Infinity)
}

/** Whether a sample holds something to decide or to show. */
function isEventful(run: TunerState, before: Seen, after: Seen): boolean {
  return (
    after.signals.lossBlocks.blocks !== before.signals.lossBlocks.blocks ||
    after.guard.levels !== before.guard.levels ||
    after.isOriginSure !== before.isOriginSure ||
    after.objective !== before.objective ||
    after.step < before.step ||
    (isDrifting(after.drift) && !after.drift.isTold) ||
    signOf(after.guard) !== null ||
    isPassed({ plan: run.plan, seen: after })
  )
}

/** Asks what the newest sample may have to decide, one question after the other. */
function asked(turn: Turn, before: Seen): Turn {
  const { seen } = turn.state
  // Until the second report nobody knows where the counter began, and so what the plan means.
  if (!seen.isOriginSure && seen.origin !== 0) return turn
  const isBlock = seen.signals.lossBlocks.blocks !== before.signals.lossBlocks.blocks
  // The smoothed loss is charted once a block.
  const smoothed = lossSmoother.read(seen.signals.smoother)
  const shown = isBlock ? charted(turn, chartPoint('lossSmoothed', seen.step - 1, smoothed)) : turn
  let next = isBlock || signOf(seen.guard) !== null ? regimeAtSample(shown) : shown
  for (const question of questions) {
    const outcome = question(next.state, before)
    if (outcome !== null) next = settle(next, outcome)
    if (next.state.course.kind === 'done') return next
  }
  return next
}
