// The loop of a run: before each step the actions and probes that are due, then the step by the plan's rate, then
// its signals to the follower and the reporter. Between steps it yields, so that the network runs in the background.
// It waits for the server at three places only, each for a bounded time: after a probe or an action, where the plan
// asks for it, and while paused.

import { setTimeout } from 'node:timers/promises'
import { planProblem } from '../../protocol/plan.ts'
import type { Action, Decision, Plan } from '../../protocol/vocabulary.ts'
import type { EventSink } from './events.ts'
import type { PlanFollower } from './planFollower.ts'
import type { Reporter } from './reporting/reporter.ts'
import type { KeepChoice, Trainer } from './trainer.ts'

export type SessionLimits = {
  /** Longest wait for an answer after a probe or an action, and where the plan asks to wait. */
  readonly answerMsMax: number
  readonly awaitMsMax: number
  /** How often a paused run asks whether it may go on, and when it goes on by itself if nobody answers. */
  readonly pausePollMs: number
  readonly pauseUnansweredMsMax: number
}
export const sessionLimits: SessionLimits = {
  answerMsMax: 1_000,
  awaitMsMax: 10_000,
  pausePollMs: 500,
  pauseUnansweredMsMax: 60_000,
}
/** Rounds of "answer brings new actions for this very step" before the step is taken anyway. */
const roundsPerStepMax = 16
/** Progress is told at most so often. */
const progressSeconds = 0.2

export type SessionOptions = {
  readonly trainer: Trainer
  readonly follower: PlanFollower
  /** Absent: the run follows its plan alone. */
  readonly reporter?: Reporter | undefined
  /** Steps after which the run ends by itself. */
  readonly stepsMax: number
  readonly budgetSteps: number | null
  readonly stepsPerRead: number
  readonly emit: EventSink
  /** Called after each step and after each action that changed checkpoints (for saving to disk). */
  readonly afterStep?: () => void
  readonly limits?: SessionLimits
  /** Seconds of a monotonic clock. */
  readonly clock?: () => number
}

export type SessionResult = {
  readonly steps: number
  readonly kept: string
  readonly switchStep: number | null
  readonly largeLearningRate: number | null
  readonly signalSeconds: number
  readonly probeSeconds: number
  readonly stepSeconds: number
  readonly waitSeconds: number
}

/** The reporter's side of the loop: takes an answer's plan if it is sound, and its actions. */
export function answerHandler(follower: PlanFollower, emit: EventSink) {
  return (answer: { plan: Plan; actions: readonly Action[]; decision?: Decision }): void => {
    const problem = planProblem(answer.plan)
    if (problem === undefined) follower.receive(answer)
    else emit({ event: 'notice', message: `the server's plan is not used: ${problem}` })
    if (answer.decision !== undefined) emit({ event: 'decision', decision: answer.decision })
  }
}

const nameOf = (keep: KeepChoice): string => (typeof keep === 'string' ? keep : keep.checkpoint)

export async function runSession(options: SessionOptions): Promise<SessionResult> {
  const { trainer, follower, reporter, emit, limits = sessionLimits } = options
  const clock = options.clock ?? (() => performance.now() / 1_000)
  const totals = { signalSeconds: 0, probeSeconds: 0, stepSeconds: 0, waitSeconds: 0 }
  let keep: KeepChoice | undefined
  let paused = false
  let switchStep: number | null = null
  let largeLearningRate: number | null = null
  let lastLoss: number | null = null
  let saidAt = Number.NEGATIVE_INFINITY
  let measured = false

  const flush = async (waitMs: number): Promise<boolean> => {
    if (reporter === undefined) return true
    const started = clock()
    const answered = await reporter.flush(waitMs)
    totals.waitSeconds += clock() - started
    return answered
  }
  const probe = async (kind: 'valley' | 'line'): Promise<void> => {
    const result =
      kind === 'valley'
        ? await trainer.valleyProbe()
        : await trainer.lineProbe(follower.next(trainer.stepCount).learningRate)
    totals.probeSeconds += result.seconds
    reporter?.addProbe(result)
    measured = true
  }
  /** Does one action and returns what is to be said of it; throws a sentence if it cannot be done. */
  const perform = async (action: Action): Promise<string> => {
    switch (action.kind) {
      case 'checkpoint': {
        const dropped = trainer.checkpoint(action.checkpoint)
        return dropped.length > 0 ? `dropped ${dropped.join(', ')} to make room` : ''
      }
      case 'restore':
        trainer.restore(action.checkpoint, { rewindData: action.rewindData, skipBatches: action.skipBatches })
        follower.restoredAt(trainer.stepCount)
        return ''
      case 'drop':
        return trainer.drop(action.checkpoint) ? '' : `there was no checkpoint ${action.checkpoint}`
      case 'probe':
        await probe(action.probe)
        return ''
      case 'pause':
      case 'resume':
        paused = action.kind === 'pause'
        return ''
      case 'finish':
        trainer.keep(action.keep)
        keep = action.keep
        return ''
    }
  }
  const performDue = async (probed: Set<string>): Promise<number> => {
    const due = follower.takeDueActions(trainer.stepCount)
    for (const action of due) {
      let status: 'done' | 'failed' = 'done'
      let detail = ''
      try {
        detail = await perform(action)
        if (action.kind === 'probe') probed.add(action.probe)
      } catch (cause) {
        status = 'failed'
        detail = cause instanceof Error ? cause.message : String(cause)
        emit({ event: 'notice', message: `action ${action.kind} ${action.id} failed: ${detail}` })
      }
      reporter?.addAcknowledgement({ actionId: action.id, status, step: trainer.stepCount, detail })
    }
    return due.length
  }
  const waitWhilePaused = async (): Promise<void> => {
    let unansweredSince = clock()
    while (paused && keep === undefined) {
      await setTimeout(limits.pausePollMs)
      if (await flush(limits.answerMsMax)) unansweredSince = clock()
      await performDue(new Set())
      if ((clock() - unansweredSince) * 1_000 < limits.pauseUnansweredMsMax) continue
      paused = false
      emit({ event: 'notice', message: 'paused, and the server does not answer any more: training goes on' })
    }
  }
  /** Everything before a step: actions and probes, as often as answers bring new ones. */
  const prepareStep = async (): Promise<void> => {
    const step = trainer.stepCount
    const probed = new Set<string>()
    for (let round = 0; round < roundsPerStepMax && keep === undefined; round++) {
      measured = false
      const acted = await performDue(probed)
      if (round === 0 && keep === undefined) {
        const due = follower.dueProbes(step)
        for (const kind of ['valley', 'line'] as const) if (due[kind] && !probed.has(kind)) await probe(kind)
      }
      const mustWait = follower.takeAwait(step)
      if (mustWait) await flush(limits.awaitMsMax)
      else if (acted > 0 || measured) await flush(limits.answerMsMax)
      if (paused) await waitWhilePaused()
      if (!mustWait && acted === 0 && !measured) return
    }
  }
  const readSignals = async (): Promise<void> => {
    for (const reading of await trainer.read()) {
      totals.stepSeconds += reading.stepSeconds
      totals.signalSeconds += reading.signalSeconds
      lastLoss = reading.loss
      reporter?.addReading(reading)
      if (!follower.observe(reading)) continue
      emit({
        event: 'notice',
        message: `step ${reading.step}: the plan's tripwire tripped, its rate is in force until the next answer`,
      })
      await flush(0)
    }
  }
  const takeStep = async (): Promise<void> => {
    const step = trainer.stepCount
    const next = follower.next(step)
    trainer.setBlockSteps(follower.plan.cadence?.blockSteps ?? defaultBlock)
    trainer.step(next)
    if (next.phase === 'large') {
      largeLearningRate = next.learningRate
      switchStep = null
    } else if (next.phase === 'anneal') switchStep ??= step
    if (trainer.unreadCount >= options.stepsPerRead) await readSignals()
    if (clock() - saidAt >= progressSeconds) {
      saidAt = clock()
      const { learningRate, phase } = next
      emit({
        event: 'progress',
        step: step + 1,
        loss: lastLoss,
        learningRate,
        phase,
        budgetSteps: options.budgetSteps,
      })
    }
    options.afterStep?.()
    await yieldToNetwork()
  }

  while (true) {
    if (trainer.unreadCount > 0 && needsReading(follower, trainer.stepCount)) await readSignals()
    await prepareStep()
    if (keep !== undefined || trainer.stepCount >= options.stepsMax) break
    await takeStep()
  }
  await readSignals()
  // The last step's report may bring the finish action itself (which weights to keep): ask once more.
  if (keep === undefined && reporter !== undefined) {
    await flush(limits.awaitMsMax)
    await performDue(new Set())
  }
  await flush(limits.awaitMsMax)
  return { steps: trainer.stepCount, kept: nameOf(keep ?? 'last'), switchStep, largeLearningRate, ...totals }
}

const defaultBlock = 20

/** Signals of earlier steps must be on their way before a probe, an action or a wait. */
function needsReading(follower: PlanFollower, step: number): boolean {
  const { valley, line } = follower.dueProbes(step)
  return valley || line || follower.plan.awaitAtStep === step || follower.hasDueActions(step)
}

const yieldToNetwork = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
