// A training job: the built-in session, reporter and spool on a quadratic, in processes that are killed and resumed. It keeps
// what may be asked of it at the end: every step that it took, what it was told of them, and what a killed process took with it.

import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { planProblem } from '../../protocol/plan.ts'
import type { Plan } from '../../protocol/vocabulary.ts'
import { localPlan } from '../../trainer/localPlan.ts'
import { createPlanFollower } from '../../trainer/planFollower.ts'
import { createReporter } from '../../trainer/reporting/reporter.ts'
import type { Reporter, ReporterOptions } from '../../trainer/reporting/reporterTypes.ts'
import { openSpool } from '../../trainer/reporting/spool.ts'
import type { Reply } from '../../trainer/reporting/transport.ts'
import { answerHandler, runSession } from '../../trainer/session.ts'
import type { StepReading } from '../../trainer/signals.ts'
import type { Random } from '../../tuner/testing/random.ts'
import type { Request } from './dispatch.ts'
import { Life } from './life.ts'
import type { Network } from './network.ts'
import { type Problem, QuadraticTrainer, type Saved } from './quadraticTrainer.ts'
import type { VirtualTime } from './virtualTime.ts'

export type JobOptions = {
  readonly runId: string
  readonly problem: Problem
  /** Null: open, and the job ends after its steps. */
  readonly budgetSteps: number | null
  readonly steps: number
  readonly learningRate: number
  readonly mode: 'auto' | 'approve' | 'off'
  readonly folder: string
  readonly network: Network
  readonly time: VirtualTime
  readonly random: Random
  readonly broken: (sentence: string) => void
}

const stepsPerRead = 8
const stepsPerSave = 40
const startMilliseconds = 10_000
const momentum = 0.9

type Message = {
  readonly steps?: { readonly step: readonly number[] }
  readonly probes?: readonly { readonly step: number }[]
}

export class SimulatedJob {
  /** Loss of each step that was taken, as it was reported. */
  readonly losses = new Map<number, number>()
  /** Steps of which a process knew when it was killed, and which nobody else had: they may be lost. */
  readonly losable = new Set<number>()
  readonly acknowledged = new Set<number>()
  readonly plans: Plan[] = []
  readonly rates: number[] = []
  kills = 0
  /** How often its last process took the tripwire's rate. */
  trips = 0
  private probes = 0
  /** Everything is taken and told. */
  isDone = false
  isTrained = false
  private readonly options: JobOptions
  /** Whether a process of it was ever started. */
  get hasBegun(): boolean {
    return this.begun > 0
  }
  private begun = 0
  private life: Life
  private saved: Saved | undefined
  private trainer: QuadraticTrainer | undefined

  constructor(options: JobOptions) {
    this.options = options
    this.life = new Life(options.time)
  }

  /** Whether its losses come to nothing. */
  get isBroken(): boolean {
    return this.options.problem.brokenFrom !== null
  }

  /** Whether the rates are the server's to choose. */
  get isSteered(): boolean {
    return this.options.mode !== 'off'
  }

  get runId(): string {
    return this.options.runId
  }

  private get spoolFile(): string {
    return join(this.options.folder, `${this.runId}.trainer.ndjson`)
  }

  get isAlive(): boolean {
    return !this.life.isOver
  }

  start(): void {
    this.begun++
    this.life = new Life(this.options.time)
    mkdirSync(this.options.folder, { recursive: true })
    const { broken } = this.options
    this.live(this.life).catch((error) => broken(`the job of ${this.runId} failed: ${error.stack}`))
  }

  /** SIGKILL, with a line of the spool half written at times. */
  kill(isTorn: boolean): void {
    if (!this.hasBegun || this.life.isOver || this.isDone) return
    this.kills++
    this.life.end()
    if (isTorn && existsSync(this.spoolFile))
      appendFileSync(this.spoolFile, '{"clientId":"trainer","sequence":99,"steps":{"step":[1')
    const kept = this.spooledSteps()
    for (const step of this.losses.keys())
      if (!this.acknowledged.has(step) && !kept.has(step)) this.losable.add(step)
    // What was taken and never read has a number, and was told to nobody.
    for (let step = this.saved?.stepCount ?? 0; step < (this.trainer?.stepCount ?? 0); step++)
      if (!this.losses.has(step)) this.losable.add(step)
  }

  private spooledSteps(): Set<number> {
    if (!existsSync(this.spoolFile)) return new Set()
    const lines = readFileSync(this.spoolFile, 'latin1').split('\n').slice(0, -1)
    return new Set(lines.flatMap((line) => (JSON.parse(line) as Message).steps?.step ?? []))
  }

  private took({ path, body = '' }: Request, { status, body: answer }: Reply): void {
    const isTaken = status === 200 && path.endsWith('/telemetry') && isAnswer(answer)
    if (isTaken)
      for (const step of (JSON.parse(body) as Message).steps?.step ?? []) this.acknowledged.add(step)
  }

  private newReporter(life: Life, onAnswer: ReporterOptions['onAnswer']): Reporter {
    const { runId, budgetSteps, learningRate, mode, network, time, random } = this.options
    return createReporter({
      transport: (request) =>
        life.heard(network.transportOf(life, (sent, reply) => this.took(sent, reply))(request)),
      spool: openSpool(this.spoolFile),
      runId,
      clientId: 'trainer',
      create: {
        runId,
        resume: 'allow',
        framework: 'simulation',
        optimizer: { name: 'momentum', family: 'sgd', momentum, weightDecay: null },
        budgetSteps,
        mode,
        capabilities: [
          'checkpoint',
          'rewind',
          'heldOutLoss',
          'averagedWeights',
          'lineProbe',
          'microBatchNorms',
        ],
        learningRate: { initial: learningRate, min: null, max: null },
      },
      onAnswer,
      onNotice: () => {},
      now: () => time.now,
      sleep: (milliseconds, signal) => life.sleep(milliseconds, signal),
      random,
    })
  }

  private async live(life: Life): Promise<void> {
    const { budgetSteps, steps, learningRate, time, broken, problem } = this.options
    const follower = createPlanFollower({
      plan: localPlan(learningRate, budgetSteps, steps),
      ownMomentum: momentum,
    })
    const emit = (event: { readonly event: string; readonly message?: string }) => {
      if (event.event === 'notice' && event.message?.startsWith("the server's plan is not used") === true)
        broken(`${this.runId}: ${event.message}`)
      if (event.message?.includes('tripwire tripped') === true) this.trips++
    }
    const follow = answerHandler(follower, emit)
    const reporter = this.newReporter(life, (answer) => {
      this.seen(answer.plan)
      follow(answer)
    })
    const start = await reporter.start(startMilliseconds)
    if (!this.isTrained) {
      const trainer = new QuadraticTrainer(problem, life, () => ++this.probes)
      this.trainer = trainer
      trainer.resume(this.saved, Math.max(start?.run.step ?? 0, this.lastStep + 1))
      await runSession({
        trainer,
        follower,
        reporter: this.watched(reporter),
        stepsMax: steps,
        budgetSteps,
        stepsPerRead,
        emit,
        clock: () => time.now / 1_000,
        sleep: (milliseconds) => life.sleep(milliseconds),
        afterStep: () => {
          if (trainer.stepCount % stepsPerSave === 0) this.saved = trainer.save()
        },
      })
      this.rates.push(...trainer.rates)
      this.isTrained = true
    }
    await reporter.drain(600_000)
    reporter.close()
    if (reporter.hasUnsent) {
      // As a person does who is told where the rest waits.
      await life.sleep(30_000)
      this.start()
      return
    }
    this.isDone = true
    time.sign()
  }

  private get lastStep(): number {
    return Math.max(-1, ...this.losses.keys())
  }

  private seen(plan: Plan): void {
    const problem = planProblem(plan)
    if (problem !== undefined) this.options.broken(`${this.runId} is given a plan that is none: ${problem}`)
    if (this.plans.at(-1)?.version !== plan.version) this.plans.push(plan)
  }

  /** The reporter, with a note of what it is given. */
  private watched(reporter: Reporter): Reporter {
    const noted = (reading: StepReading) => {
      if (this.losses.has(reading.step))
        this.options.broken(`${this.runId}: step ${reading.step} is taken twice`)
      this.losses.set(reading.step, reading.loss ?? Number.NaN)
    }
    return new Proxy(reporter, {
      get: (target, name) => {
        if (name === 'addReading')
          return (reading: StepReading, planVersion?: number) => {
            noted(reading)
            target.addReading(reading, planVersion)
          }
        const value = Reflect.get(target, name)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }
}

const isAnswer = (body: unknown): boolean =>
  typeof body === 'object' &&
  body !== null &&
  'plan' in body &&
  Array.isArray((body as { actions?: unknown }).actions)
