// One run of the built-in trainer under the tuner, in one process and without a clock in its decisions: the job
// sends each observation to `tune` directly and obeys the plan at once. So a bench repeats exactly, and measures
// the rules and not the network. Everything else (data, model, kernels, probes) is what a real run uses.

import { evaluatePlan } from '../protocol/plan.ts'
import type {
  Action,
  Capability,
  Decision,
  Observation,
  Plan,
  RunOptions,
  SampleColumns,
} from '../protocol/vocabulary.ts'
import { initialState, type TunerState, tune } from '../tuner/index.ts'
import { openBackend } from '../tuner/trainer/backends/openBackend.ts'
import { loadTask, type TaskName } from '../tuner/trainer/data/task.ts'
import { createModel, type ModelName } from '../tuner/trainer/models/models.ts'
import type { OptimizerName } from '../tuner/trainer/optimizers/optimizer.ts'
import { createOptimizer, ownMomentum } from '../tuner/trainer/optimizers/optimizers.ts'
import { createTrainer, type Trainer } from '../tuner/trainer/trainer.ts'

export type JobOptions = {
  readonly task: TaskName
  readonly model: ModelName
  readonly optimizer: OptimizerName
  readonly seed: number
  readonly budgetSteps: number
  readonly batchSize?: number
  readonly labelNoise?: number
  readonly trainExamples?: number
  readonly learningRate?: number | null
}

export const allCapabilities: readonly Capability[] = [
  'checkpoint',
  'microBatchNorms',
  'heldOutLoss',
  'averagedWeights',
  'lineProbe',
  'momentum',
]

export type RunOutcome = {
  readonly testLoss: number
  readonly testAccuracy: number
  readonly seconds: number
  readonly steps: number
}

export type SteeredOutcome = RunOutcome & {
  readonly state: TunerState
  readonly decisions: readonly Decision[]
  readonly log: readonly Observation[]
}

export async function openTrainer(job: JobOptions): Promise<Trainer> {
  const { task, model, optimizer, seed, batchSize = 128, labelNoise, trainExamples } = job
  const { backend } = await openBackend('auto')
  const dataset = loadTask(task, {
    seed,
    ...(labelNoise === undefined ? {} : { labelNoise }),
    ...(trainExamples === undefined ? {} : { trainExamples }),
  })
  return createTrainer({
    backend,
    dataset,
    model: createModel(model, dataset),
    optimizer: createOptimizer(optimizer),
    batchSize,
    seed,
  })
}

type Body = Observation extends infer O
  ? O extends Observation
    ? Omit<O, 'number' | 'receivedAt'>
    : never
  : never

/** The wire, cut short: each observation is folded as it is made. */
class DirectWire {
  state: TunerState = initialState()
  readonly decisions: Decision[] = []
  readonly log: Observation[] = []

  send(body: Body): void {
    const observation = {
      ...body,
      number: this.log.length + 1,
      receivedAt: '2026-01-01T00:00:00.000Z',
    } as Observation
    this.log.push(observation)
    const result = tune(this.state, observation)
    this.state = result.state
    this.decisions.push(...result.decisions)
  }

  due(step: number, done: ReadonlySet<string>): Action | undefined {
    return this.state.actions.find(({ id, atStep }) => atStep <= step && !done.has(id))
  }
}

async function flush(trainer: Trainer, wire: DirectWire): Promise<void> {
  const rows = await trainer.read()
  if (rows.length === 0) return
  const column = (key: keyof (typeof rows)[number]) => rows.map((row) => row[key])
  const columns: SampleColumns = {
    step: rows.map(({ step }) => step),
    loss: column('loss'),
    learningRate: column('learningRate'),
    momentum: column('momentum'),
    gradientNormSquared: column('gradientNormSquared'),
    microGradientNormSquared: column('microGradientNormSquared'),
    batchSize: column('batchSize'),
    microBatchSize: column('microBatchSize'),
    stepSeconds: column('stepSeconds'),
    signalSeconds: column('signalSeconds'),
  }
  wire.send({ kind: 'samples', columns })
}

async function probe(
  trainer: Trainer,
  wire: DirectWire,
  kind: 'valley' | 'line',
  learningRate: number,
): Promise<void> {
  await flush(trainer, wire)
  wire.send({
    kind: 'probe',
    probe: kind === 'valley' ? await trainer.valleyProbe() : await trainer.lineProbe(learningRate),
  })
}

async function act(trainer: Trainer, wire: DirectWire, action: Action, learningRate: number): Promise<void> {
  await flush(trainer, wire)
  if (action.kind === 'checkpoint') trainer.checkpoint(action.checkpoint)
  if (action.kind === 'restore') trainer.restore(action.checkpoint, action)
  if (action.kind === 'drop') trainer.drop(action.checkpoint)
  if (action.kind === 'probe') await probe(trainer, wire, action.probe, learningRate)
  if (action.kind === 'finish') trainer.keep(action.keep)
  wire.send({
    kind: 'acknowledgement',
    acknowledgement: { actionId: action.id, status: 'done', step: trainer.stepCount, detail: '' },
  })
}

const flushSteps = 10

/** Steers one run to its end and evaluates it on the test set. */
export async function steeredRun(job: JobOptions): Promise<SteeredOutcome> {
  const trainer = await openTrainer(job)
  const wire = new DirectWire()
  const momentum = ownMomentum[job.optimizer]
  wire.send({ kind: 'start', runId: 'bench', options: runOptionsOf(job, momentum) })
  const started = performance.now()
  const done = new Set<string>()
  let isFinished = false
  while (!isFinished) {
    const step = trainer.stepCount
    if (step % flushSteps === 0 || wire.state.plan.awaitAtStep === step) await flush(trainer, wire)
    isFinished = await prepare(trainer, wire, done)
    if (isFinished || trainer.stepCount >= 2 * job.budgetSteps) break
    const { learningRate, momentum: planned } = evaluatePlan(wire.state.plan, step)
    const every = wire.state.plan.cadence?.microBatchSteps
    trainer.step({ learningRate, momentum: planned ?? momentum, measureAll: !!every && step % every === 0 })
  }
  const outcome = await outcomeOf(trainer, started)
  return { ...outcome, state: wire.state, decisions: wire.decisions, log: wire.log }
}

/** Probes by cadence and actions that are due before the next step; true = the run is to end. */
async function prepare(trainer: Trainer, wire: DirectWire, done: Set<string>): Promise<boolean> {
  const step = trainer.stepCount
  const { cadence } = wire.state.plan
  const rate = Math.max(evaluatePlan(wire.state.plan, step).learningRate, 1e-6)
  if (cadence) trainer.setBlockSteps(cadence.blockSteps)
  if (cadence?.lineSteps && step > 0 && step % cadence.lineSteps === 0)
    await probe(trainer, wire, 'line', rate)
  if (cadence?.valleySteps && step > 0 && step % cadence.valleySteps === 0)
    await probe(trainer, wire, 'valley', rate)
  for (let action = wire.due(step, done); action !== undefined; action = wire.due(step, done)) {
    done.add(action.id)
    await act(trainer, wire, action, rate)
    if (action.kind === 'finish') return true
  }
  return false
}

function runOptionsOf(job: JobOptions, momentum: number): RunOptions {
  return {
    name: `${job.task}-${job.model}`,
    project: 'bench',
    tags: [],
    framework: 'TensorFlow.js',
    optimizer: { name: job.optimizer, momentum },
    budgetSteps: job.budgetSteps,
    mode: 'auto',
    capabilities:
      job.optimizer === 'adam' ? allCapabilities.filter((name) => name !== 'momentum') : allCapabilities,
    learningRate: { initial: job.learningRate ?? null, min: null, max: null },
    settings: {},
  }
}

/** The same job under a fixed plan, without probes. */
export async function plannedRun(job: JobOptions, plan: Plan): Promise<RunOutcome> {
  const trainer = await openTrainer(job)
  const momentum = ownMomentum[job.optimizer]
  const started = performance.now()
  for (let step = 0; step < job.budgetSteps; step++) {
    const { learningRate, momentum: planned } = evaluatePlan(plan, step)
    trainer.step({ learningRate, momentum: planned ?? momentum, measureNorm: false })
    if (step % 50 === 49) await trainer.read()
  }
  return outcomeOf(trainer, started)
}

async function outcomeOf(trainer: Trainer, started: number): Promise<RunOutcome> {
  await trainer.read()
  const seconds = (performance.now() - started) / 1000
  const { loss, accuracy } = await trainer.evaluateTest()
  const steps = trainer.stepCount
  trainer.dispose()
  return { testLoss: loss, testAccuracy: accuracy, seconds, steps }
}
