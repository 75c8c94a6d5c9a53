// Holds the newest plan and says what the next step does: rate and momentum, which actions are due, what is to be
// measured, whether to wait for an answer first. It is a state machine over steps, without clock, tensors or
// network, so a lost server changes nothing here: the last plan goes on, and its tripwire is obeyed alone.

import { evaluatePlan, segmentAt, tripwireTrips } from '../protocol/plan.ts'
import type { Action, Phase, Plan, Segment } from '../protocol/vocabulary.ts'

/** Ids of finished actions that are remembered, so that none is done twice. */
export const doneActionsMax = 10_000
/** The smoothed loss that the tripwire watches forgets over so many steps. */
const smoothingSteps = 10
/**
 * ‖g‖² is measured at one step in so many, and more seldom in the anneal. One norm costs 5 % of a small network's step.
 */
const normSteps = { anneal: 20, otherwise: 10 } as const
/** ⟨g, u⟩, ‖u‖² and ‖w‖², three more norms, are measured at one micro-batch step in so many. */
const updateEvery = 5

export type NextStep = {
  readonly learningRate: number
  readonly momentum: number
  readonly phase: Phase | null
  /** The tripwire's rate is in force instead of the plan's. */
  readonly tripped: boolean
  readonly measureMicroBatches: boolean
  readonly measureUpdate: boolean
  readonly measureNorm: boolean
}

export type PlanFollower = {
  readonly plan: Plan
  /** The rates are given by a schedule, whatever the server answers. */
  readonly isFixed: boolean
  /** A newer answer: its plan (older versions are ignored) and the actions that are open now. */
  receive(answer: { readonly plan: Plan; readonly actions: readonly Action[] }): void
  hasDueActions(step: number): boolean
  /** Actions due before this step, in order; each is handed out exactly once. */
  takeDueActions(step: number): Action[]
  next(step: number): NextStep
  /** Probes that the cadence asks for before this step. */
  dueProbes(step: number): { readonly valley: boolean; readonly line: boolean }
  /** Whether to wait for an answer before this step; true once per step. */
  takeAwait(step: number): boolean
  /** What a step showed, in order of steps. true = the tripwire tripped just now. */
  observe(reading: { readonly loss: number | null; readonly gradientNormSquared: number | null }): boolean
  /** After a restore: the cadence counts from here, and the smoothed loss starts anew. */
  restoredAt(step: number): void
}

const normStepsOf = (segment: Segment | undefined): number =>
  segment?.phase === 'anneal' ? normSteps.anneal : normSteps.otherwise

const isDue = (cadence: number | null | undefined, steps: number): boolean =>
  cadence !== null && cadence !== undefined && steps > 0 && steps % cadence === 0

export function createPlanFollower(initial: {
  readonly plan: Plan
  readonly actions?: readonly Action[]
  /** Used where the plan names no momentum. */
  readonly ownMomentum: number
  /** The rates are given: answers change what is measured and done, not the segments. */
  readonly isFixed?: boolean
}): PlanFollower {
  let plan = initial.plan
  let open: readonly Action[] = initial.actions ?? []
  let tripped = false
  let lossSmoothed: number | null = null
  let nonFiniteCount = 0
  let anchorStep = 0
  let awaitedStep = -1
  const done = new Set<string>()

  const rememberDone = (id: string): void => {
    done.add(id)
    if (done.size > doneActionsMax) done.delete(done.values().next().value!)
  }
  const dueActions = (step: number): Action[] =>
    open.filter((action) => action.atStep <= step && !done.has(action.id))
  return {
    get plan() {
      return plan
    },
    isFixed: initial.isFixed ?? false,
    receive: (answer) => {
      const { segments } = plan
      if (answer.plan.version >= plan.version) plan = answer.plan
      if (initial.isFixed) plan = { ...plan, segments, tripwire: null }
      open = answer.actions
      tripped = false
    },
    hasDueActions: (step) => dueActions(step).length > 0,
    takeDueActions: (step) => {
      const due = dueActions(step)
      for (const action of due) rememberDone(action.id)
      // Sorting is stable: of actions for one step the server's order holds.
      return due.sort((a, b) => a.atStep - b.atStep)
    },
    next: (step) => {
      const planned = evaluatePlan(plan, step)
      const segment = segmentAt(plan, step)
      const { tripwire, cadence } = plan
      const microSteps = cadence?.microBatchSteps ?? null
      return {
        learningRate:
          tripped && tripwire
            ? Math.min(planned.learningRate, tripwire.thenLearningRate)
            : planned.learningRate,
        momentum: planned.momentum ?? initial.ownMomentum,
        phase: segment?.phase ?? null,
        tripped,
        measureMicroBatches: microSteps !== null && step % microSteps === 0,
        measureUpdate: microSteps !== null && step % (microSteps * updateEvery) === 0,
        measureNorm: step % normStepsOf(segment) === 0,
      }
    },
    dueProbes: (step) => ({
      valley: isDue(plan.cadence?.valleySteps, step - anchorStep),
      line: isDue(plan.cadence?.lineSteps, step - anchorStep),
    }),
    takeAwait: (step) => {
      if (plan.awaitAtStep !== step || awaitedStep === step) return false
      awaitedStep = step
      return true
    },
    observe: ({ loss, gradientNormSquared }) => {
      if (loss !== null && Number.isFinite(loss)) {
        nonFiniteCount = 0
        lossSmoothed = lossSmoothed === null ? loss : lossSmoothed + (loss - lossSmoothed) / smoothingSteps
      } else if (loss !== null) nonFiniteCount++
      if (tripped) return false
      const gradientNorm = gradientNormSquared === null ? null : Math.sqrt(gradientNormSquared)
      tripped = tripwireTrips(plan.tripwire, { lossSmoothed, gradientNorm, nonFiniteCount })
      return tripped
    },
    restoredAt: (step) => {
      anchorStep = step
      lossSmoothed = null
      nonFiniteCount = 0
      tripped = false
    },
  }
}
