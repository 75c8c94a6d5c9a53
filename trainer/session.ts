// The loop of a run: before each step the actions and probes that are due, then the step by the plan's rate, then
// its signals to the follower and the reporter. Between steps it yields, so that the network runs in the background.
// It waits for the server at three places only, each for a bounded time: after a probe or an action, where the plan
// asks for it, and while paused.

import { setTimeout } from 'node:timers/promises'
import { planProblem } from '../protocol/plan.ts'
import type { Action, Decision, Plan } from '../protocol/vocabulary.ts'
import { type ActionContext, performAction } from './actions.ts'
import type { EventSink } from './events.ts'
import type { NextStep, PlanFollower } from './planFollower.ts'
import type { Windows } from './probes/averages.ts'
import type { Reporter } from './reporting/reporterTypes.ts'
import { defaultBlockSteps, type KeepChoice, type SessionTrainer } from './trainer.ts'

export type SessionLimits = {
  /** Longest wait for an answer after a probe or an action, and where the plan asks to wait. */
  readonly answerMsMax: number
  readonly awaitMsMax: number
  /** At the end: how long to go on trying to deliver what is left, when nothing else is to be done. */
  readonly drainMsMax: number
  /** How often a paused run asks whether it may go on, and when it goes on by itself if nobody answers. */
  readonly pausePollMs: number
  readonly pauseUnansweredMsMax: number
}
export const sessionLimits: SessionLimits = {
  answerMsMax: 1_000,
  awaitMsMax: 10_000,
  drainMsMax: 30_000,
  pausePollMs: 500,
  pauseUnansweredMsMax: 60_000,
}
/** Rounds of "the answer brings new actions for this very step" before the step is taken anyway. */
const roundsPerStepMax = 16
/** Progress is told at most so often. */
const progressSeconds = 0.2

export type SessionOptions = {
  readonly trainer: SessionTrainer
  readonly follower: PlanFollower
  /** Absent: the run follows its plan alone. */
  readonly reporter?: Reporter | undefined
  /** Steps after which the run ends by itself (later only if the server's plan has grown beyond a budget). */
  readonly stepsMax: number
  readonly budgetSteps: number | null
  readonly stepsPerRead: number
  readonly emit: EventSink
  /** Called after each step, for saving to disk. */
  readonly afterStep?: () => void
  /** Stops the run before its next step. */
  readonly stop?: AbortSignal | undefined
  readonly limits?: SessionLimits
  /** Seconds of a monotonic clock, and waiting: injected by tests. */
  readonly clock?: () => number
  readonly sleep?: (ms: number) => Promise<unknown>
}

export type SessionResult = {
  readonly steps: number
  /** Which weights were kept. */
  readonly kept: string
  readonly wasStopped: boolean
  readonly switchStep: number | null
  readonly largeLearningRate: number | null
  readonly signalSeconds: number
  readonly probeSeconds: number
  readonly stepSeconds: number
  readonly waitSeconds: number
}

/** The follower's side of an answer: its plan if it is sound, its actions, its decision as an event. */
export function answerHandler(follower: PlanFollower, emit: EventSink) {
  return (answer: { plan: Plan; actions: readonly Action[]; decision?: Decision }): void => {
    const problem = planProblem(answer.plan)
    if (problem === undefined) follower.receive(answer)
    else emit({ event: 'notice', message: `the server's plan is not used: ${problem}` })
    if (answer.decision !== undefined) emit({ event: 'decision', decision: answer.decision })
  }
}

export const runSession = (options: SessionOptions): Promise<SessionResult> => new Session(options).run()

const yieldToNetwork = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

class Session {
  private readonly options: SessionOptions
  private readonly limits: SessionLimits
  private readonly clock: () => number
  private readonly context: ActionContext
  private readonly totals = { signalSeconds: 0, probeSeconds: 0, stepSeconds: 0, waitSeconds: 0 }
  private kept: KeepChoice | undefined
  private isPaused = false
  private switchStep: number | null = null
  private largeLearningRate: number | null = null
  private lastLoss: number | null = null
  private saidAt = Number.NEGATIVE_INFINITY
  /** Plans of the steps that are not read yet, oldest first. */
  private readonly followedVersions: { readonly fromStep: number; readonly version: number }[] = []

  constructor(options: SessionOptions) {
    this.options = options
    this.limits = options.limits ?? sessionLimits
    this.clock = options.clock ?? (() => performance.now() / 1_000)
    const { trainer, follower } = options
    this.context = {
      trainer,
      isFixed: follower.isFixed,
      // What is asked for by name decides about an arm or the end, so it is measured in full.
      probe: (kind, checkpoints) => this.probe(kind, 'all', checkpoints),
      restored: () => follower.restoredAt(trainer.stepCount),
      setPaused: (paused) => {
        this.isPaused = paused
      },
      finished: (keep) => {
        this.kept = keep
      },
    }
  }

  async run(): Promise<SessionResult> {
    const { trainer, stop } = this.options
    while (stop?.aborted !== true) {
      await this.prepareStep()
      if (this.kept !== undefined || (await this.isOver())) break
      await this.takeStep()
    }
    await this.readSignals()
    await this.flush(this.limits.awaitMsMax)
    return {
      steps: trainer.stepCount,
      kept: typeof this.kept === 'object' ? this.kept.checkpoint : (this.kept ?? 'last'),
      wasStopped: stop?.aborted === true && this.kept === undefined,
      switchStep: this.switchStep,
      largeLearningRate: this.largeLearningRate,
      ...this.totals,
    }
  }

  /** At the end of the budget the server is asked once more: it may name the weights to keep, or grant more steps. */
  private async isOver(): Promise<boolean> {
    const { trainer, follower, reporter, stepsMax, budgetSteps } = this.options
    if (trainer.stepCount < stepsMax) return false
    if (reporter === undefined) return true
    await this.readSignals()
    const answered = await this.drain()
    await this.performDue(new Set())
    const planned = follower.plan.segments.at(-1)?.toStep ?? 0
    const isExtended = answered && budgetSteps !== null && !follower.isFixed && trainer.stepCount < planned
    return this.kept !== undefined || !isExtended
  }

  /** Everything before a step: actions and probes, as often as answers bring new ones for it. */
  private async prepareStep(): Promise<void> {
    const { trainer, follower } = this.options
    const step = trainer.stepCount
    const probed = new Set<string>()
    for (let round = 0; round < roundsPerStepMax && this.kept === undefined; round++) {
      const due = round === 0 ? follower.dueProbes(step) : { valley: false, line: false }
      const mustWait = follower.takeAwait(step)
      if (!mustWait && !due.valley && !due.line && !follower.hasDueActions(step)) return
      // Earlier steps must reach the server before what is measured or done after them.
      await this.readSignals()
      await this.performDue(probed)
      for (const kind of ['valley', 'line'] as const)
        if (due[kind] && !probed.has(kind) && this.kept === undefined) await this.probe(kind, 'longest')
      await this.flush(mustWait ? this.limits.awaitMsMax : this.limits.answerMsMax)
      if (this.isPaused) await this.waitWhilePaused()
    }
  }

  private async performDue(probed: Set<string>): Promise<void> {
    const { trainer, follower, reporter, emit } = this.options
    for (const action of follower.takeDueActions(trainer.stepCount)) {
      const acknowledgement = await performAction(action, this.context)
      const { status, detail } = acknowledgement
      if (status === 'done' && action.kind === 'probe') probed.add(action.probe)
      if (status !== 'done' || detail !== '')
        emit({ event: 'notice', message: `action ${action.kind} (${action.id}) ${status}: ${detail}` })
      reporter?.addAcknowledgement(acknowledgement)
      if (this.kept !== undefined) return
    }
  }

  private async probe(
    kind: 'valley' | 'line',
    windows: Windows,
    checkpoints?: readonly string[],
  ): Promise<void> {
    const { trainer, follower, reporter } = this.options
    const { learningRate } = follower.next(trainer.stepCount)
    const result =
      kind === 'valley'
        ? await trainer.valleyProbe(windows, checkpoints)
        : await trainer.lineProbe(learningRate)
    this.totals.probeSeconds += result.seconds
    reporter?.addProbe(result)
  }

  private async waitWhilePaused(): Promise<void> {
    const { emit, stop, sleep = setTimeout } = this.options
    let answeredAt = this.clock()
    while (this.isPaused && this.kept === undefined && stop?.aborted !== true) {
      await sleep(this.limits.pausePollMs)
      if (await this.poll()) answeredAt = this.clock()
      await this.performDue(new Set())
      if ((this.clock() - answeredAt) * 1_000 < this.limits.pauseUnansweredMsMax) continue
      this.isPaused = false
      emit({ event: 'notice', message: 'paused, and the server does not answer any more: training goes on' })
    }
  }

  /** Asks for an answer although there is nothing to report. */
  private async poll(): Promise<boolean> {
    this.options.reporter?.addPoll()
    return this.flush(this.limits.answerMsMax)
  }

  private async takeStep(): Promise<void> {
    const { trainer, follower, stepsPerRead } = this.options
    const step = trainer.stepCount
    const next = follower.next(step)
    trainer.setBlockSteps(follower.plan.cadence?.blockSteps ?? defaultBlockSteps)
    trainer.step(next)
    if (this.followedVersions.at(-1)?.version !== follower.plan.version)
      this.followedVersions.push({ fromStep: step, version: follower.plan.version })
    if (next.phase === 'large') {
      this.largeLearningRate = next.learningRate
      this.switchStep = null
    } else if (next.phase === 'anneal') this.switchStep ??= step
    if (trainer.unreadCount >= stepsPerRead) await this.readSignals()
    this.tellProgress(step + 1, next)
    this.options.afterStep?.()
    await yieldToNetwork()
  }

  private async readSignals(): Promise<void> {
    const { trainer, follower, reporter, emit } = this.options
    if (trainer.unreadCount === 0) return
    for (const reading of await trainer.read()) {
      this.totals.stepSeconds += reading.stepSeconds
      this.totals.signalSeconds += reading.signalSeconds
      this.lastLoss = reading.loss
      reporter?.addReading(reading, this.planVersionAt(reading.step))
      if (!follower.observe(reading)) continue
      const message = `step ${reading.step}: the plan's tripwire tripped, its rate holds until the next answer`
      emit({ event: 'notice', message })
      await this.flush(0)
    }
  }

  /** The plan that a step followed: signals are read some steps after it. */
  private planVersionAt(step: number): number {
    while ((this.followedVersions[1]?.fromStep ?? Number.POSITIVE_INFINITY) <= step)
      this.followedVersions.shift()
    return this.followedVersions[0]?.version ?? this.options.follower.plan.version
  }

  private tellProgress(step: number, { learningRate, phase }: NextStep): void {
    if (this.clock() - this.saidAt < progressSeconds) return
    this.saidAt = this.clock()
    const { emit, budgetSteps } = this.options
    emit({ event: 'progress', step, loss: this.lastLoss, learningRate, phase, budgetSteps })
  }

  /** true = everything reported so far was answered. */
  private async flush(waitMs: number): Promise<boolean> {
    const { reporter } = this.options
    if (reporter === undefined) return true
    const started = this.clock()
    const answered = await reporter.flush(waitMs)
    this.totals.waitSeconds += this.clock() - started
    return answered
  }

  /** Training is over, so a server that is away is tried again and again: what it missed should not stay in a file. */
  private async drain(): Promise<boolean> {
    const { reporter, emit } = this.options
    if (reporter === undefined) return true
    const { drainMsMax } = this.limits
    if (reporter.status === 'offline')
      emit({
        event: 'notice',
        message: `training is over: trying to deliver the rest for up to ${drainMsMax / 1_000} s`,
      })
    const started = this.clock()
    const answered = await reporter.drain(drainMsMax)
    this.totals.waitSeconds += this.clock() - started
    return answered
  }
}
