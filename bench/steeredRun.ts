// One run of the built-in trainer under the tuner, in one process: the trainer's own loop, with a transport that
// parses each message as the server does and folds it at once. So a bench measures the rules, and neither storage
// nor network; data, model, kernels, probes, loop and wire are those of a real run.

import { createRunSchema, runOptions, telemetrySchema } from '../protocol/schemas.ts'
import type {
  Capability,
  Decision,
  Observation,
  Plan,
  RunOptions,
  RunSummary,
} from '../protocol/vocabulary.ts'
import { observationsOf } from '../server/runs/observationsOf.ts'
import type { BackendChoice } from '../trainer/backends/openBackend.ts'
import type { TaskName } from '../trainer/data/task.ts'
import type { SummaryEvent } from '../trainer/events.ts'
import type { ModelName } from '../trainer/models/models.ts'
import type { OptimizerName } from '../trainer/optimizers/optimizer.ts'
import { ownMomentum } from '../trainer/optimizers/optimizers.ts'
import { parseOptions } from '../trainer/options.ts'
import { createPlanFollower } from '../trainer/planFollower.ts'
import type { Transport } from '../trainer/reporting/transport.ts'
import { buildTrainer, runTraining } from '../trainer/run.ts'
import { initialState, summaryOf, type TunerState, tune } from '../tuner/index.ts'
import { phaseOf } from '../tuner/state.ts'

export type JobOptions = {
  readonly task: TaskName
  readonly model: ModelName
  readonly optimizer: OptimizerName
  readonly seed: number
  readonly budgetSteps: number
  readonly labelNoise?: number
  readonly trainExamples?: number
  readonly widths?: readonly number[]
  readonly batchSize?: number
  readonly learningRate?: number
  readonly backend?: BackendChoice
  /** Capabilities that the job keeps to itself: what the tuner would do without them. */
  readonly withheld?: readonly Capability[]
  /** Keeps the given rate: limits that leave no other, so there is no race. */
  readonly keepsRate?: boolean
}

export type RunOutcome = {
  readonly testLoss: number
  readonly testAccuracy: number
  readonly seconds: number
}

export type SteeredOutcome = RunOutcome & {
  readonly summary: SummaryEvent
  readonly state: TunerState
  readonly decisions: readonly Decision[]
  readonly log: readonly Observation[]
}

type Body = Observation extends infer O
  ? O extends Observation
    ? Omit<O, 'number' | 'receivedAt'>
    : never
  : never

const receivedAt = '2026-01-01T00:00:00.000Z'

/** A server without storage: parse, fold, answer. */
function directServer({ withheld = [], keepsRate = false }: Pick<JobOptions, 'withheld' | 'keepsRate'>) {
  let state: TunerState = initialState()
  const decisions: Decision[] = []
  const log: Observation[] = []
  const fold = (body: Body): void => {
    const observation = {
      ...body,
      number: log.length + 1,
      receivedAt,
    } as Observation
    log.push(observation)
    const result = tune(state, observation)
    state = result.state
    decisions.push(...result.decisions)
  }
  const runSummary = (): RunSummary => ({
    ...summaryOf(state),
    id: 'bench',
    state: state.lifecycle,
    createdAt: receivedAt,
    lastSeenAt: receivedAt,
    stepsPerSecond: null,
  })
  const limited = (options: RunOptions): RunOptions => {
    const capabilities = options.capabilities.filter((capability) => !withheld.includes(capability))
    const { initial } = options.learningRate
    const learningRate = keepsRate ? { initial, min: initial, max: initial } : options.learningRate
    return { ...options, capabilities, learningRate }
  }
  const transport: Transport = async ({ method, path, body = '' }) => {
    const ok = (answer: unknown, status = 200) => ({ status, body: answer, retryAfterSeconds: null })
    if (method === 'GET') return ok(runSummary())
    if (path === '/runs') {
      const request = createRunSchema.parse(JSON.parse(body))
      fold({ kind: 'start', runId: 'bench', options: limited(runOptions(request, 'bench')) })
      return ok({ run: runSummary(), plan: state.plan, actions: state.actions, nextSequence: {} }, 201)
    }
    const telemetry = telemetrySchema.parse(JSON.parse(body))
    const before = decisions.length
    for (const observation of observationsOf(telemetry)) fold(observation)
    const { course, regime, plan, actions } = state
    const decision = decisions.length > before ? { decision: decisions.at(-1) } : {}
    return ok({
      accepted: 0,
      duplicate: false,
      nextSequence: telemetry.sequence + 1,
      phase: phaseOf(course),
      regime,
      plan,
      actions,
      ...decision,
    })
  }
  return { transport, decisions, log, state: () => state }
}

function optionsOf(job: JobOptions, folder: string) {
  const { task, model, optimizer, seed, budgetSteps, labelNoise, trainExamples, learningRate, backend } = job
  const { widths, batchSize } = job
  const args = [
    '--task',
    task,
    '--model',
    model,
    '--optimizer',
    optimizer,
    '--seed',
    String(seed),
    '--steps',
    String(budgetSteps),
  ]
  if (labelNoise !== undefined) args.push('--label-noise', String(labelNoise))
  if (trainExamples !== undefined) args.push('--train-examples', String(trainExamples))
  if (widths !== undefined) args.push('--widths', widths.join(','))
  if (batchSize !== undefined) args.push('--batch-size', String(batchSize))
  if (learningRate !== undefined) args.push('--learning-rate', String(learningRate))
  if (backend !== undefined) args.push('--backend', backend)
  args.push('--server', 'http://127.0.0.1', '--spool-dir', folder, '--state-dir', folder)
  return parseOptions(args, {})
}

/** Steers one run to its end. `folder`: for the trainer's files, empty. @throws Error if the run does not finish. */
export async function steeredRun(job: JobOptions, folder: string): Promise<SteeredOutcome> {
  const server = directServer(job)
  const options = optionsOf(job, folder)
  if (options === 'help') throw new Error('a bench asks for no help')
  const summary = await runTraining(options, {
    emit: () => undefined,
    runId: 'bench',
    transport: server.transport,
  })
  if (summary === undefined) throw new Error('the run was stopped before its end')
  const { testLoss, testAccuracy, wallSeconds: seconds } = summary
  return {
    testLoss,
    testAccuracy,
    seconds,
    summary,
    state: server.state(),
    decisions: server.decisions,
    log: server.log,
  }
}

/** The same job under a fixed plan, without signals and probes. */
export async function plannedRun(job: JobOptions, plan: Plan): Promise<RunOutcome> {
  const { trainer, backend } = await buildTrainer({ backend: 'auto', batchSize: 128, widths: null, ...job })
  const follower = createPlanFollower({ plan, ownMomentum: ownMomentum[job.optimizer], isFixed: true })
  const started = performance.now()
  for (let step = 0; step < job.budgetSteps; step++) {
    const { learningRate, momentum } = follower.next(step)
    trainer.step({ learningRate, momentum, measureNorm: false })
    if (trainer.unreadCount >= backend.stepsPerRead) await trainer.read()
  }
  await trainer.read()
  const seconds = (performance.now() - started) / 1000
  const { loss, accuracy } = await trainer.evaluateTest()
  trainer.dispose()
  return { testLoss: loss, testAccuracy: accuracy, seconds }
}
