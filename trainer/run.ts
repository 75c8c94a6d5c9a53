// A whole run from its options: backend, data, model, server, loop, final test. Used by the command line, and by
// benches with a transport of their own.

import { join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import { runSummarySchema } from '../protocol/schemas.ts'
import type { Capability, RunSummary } from '../protocol/vocabulary.ts'
import type { Backend } from './backends/backend.ts'
import { describeBackend, openBackend } from './backends/openBackend.ts'
import { disposeCheckpoint } from './checkpoints.ts'
import type { Dataset } from './data/dataset.ts'
import { loadTask } from './data/task.ts'
import type { EventSink, SummaryEvent } from './events.ts'
import { localPlan, localRate, optimizerInfo } from './localPlan.ts'
import type { Model } from './models/model.ts'
import { createModel } from './models/models.ts'
import { createOptimizer, ownMomentum } from './optimizers/optimizers.ts'
import { stepsMin, type TrainOptions } from './options.ts'
import { createPlanFollower, type PlanFollower } from './planFollower.ts'
import type { StartAnswer } from './reporting/replies.ts'
import { createReporter } from './reporting/reporter.ts'
import type { Reporter } from './reporting/reporterTypes.ts'
import { openSpool } from './reporting/spool.ts'
import { createHttpTransport, type Transport } from './reporting/transport.ts'
import { type GivenSchedule, readSchedule } from './scheduleFile.ts'
import { answerHandler, runSession, type SessionResult } from './session.ts'
import { openStateFolder, type StateFolder } from './stateFolder.ts'
import { createTrainer, type Trainer } from './trainer.ts'

/** A run has one reporting client; the name is fixed, so a resumed process goes on with the same numbers. */
const clientId = 'trainer'
/** Longest wait for the run to be created before training starts by the local plan. */
const startMsMax = 10_000

/** A trainer, and what it was put together from. */
export type BuiltTrainer = {
  readonly trainer: Trainer
  readonly backend: Backend
  readonly dataset: Dataset
  readonly model: Model
}

/** Backend, data, model and optimizer by name. @throws DataError, RangeError or Error with a sentence. */
export async function buildTrainer(
  options: Pick<TrainOptions, 'task' | 'model' | 'optimizer' | 'batchSize' | 'seed' | 'backend'> &
    Partial<Pick<TrainOptions, 'labelNoise' | 'trainExamples' | 'probeExamples' | 'widths'>> & {
      readonly lineExamples?: number
    },
  onNotice: (sentence: string) => void = () => undefined,
): Promise<BuiltTrainer> {
  const opened = await openBackend(options.backend)
  onNotice(describeBackend(opened))
  const { labelNoise = 0, trainExamples, probeExamples, lineExamples, widths, seed } = options
  const dataset = loadTask(options.task, { labelNoise, seed, ...(trainExamples ? { trainExamples } : {}) })
  const model = createModel(options.model, widths ? { ...dataset, widths } : dataset)
  const trainer = createTrainer({
    backend: opened.backend,
    dataset,
    model,
    optimizer: createOptimizer(options.optimizer),
    batchSize: options.batchSize,
    seed,
    ...(probeExamples === undefined ? {} : { probeExamples }),
    ...(lineExamples === undefined ? {} : { lineExamples }),
  })
  return { trainer, backend: opened.backend, dataset, model }
}

function capabilitiesOf(options: TrainOptions, trainer: Trainer): Capability[] {
  const always: Capability[] = ['checkpoint', 'rewind', 'heldOutLoss', 'averagedWeights', 'lineProbe']
  if (trainer.splitsBatches) always.push('microBatchNorms')
  if (options.optimizer !== 'sgd') always.push('momentum')
  return always
}

function createBody(
  options: TrainOptions,
  runId: string,
  trainer: Trainer,
  backend: Backend,
): Record<string, unknown> {
  return {
    runId,
    // A generated id is new by itself; `allow` then only makes a repeated request harmless.
    resume: options.resume ? 'must' : options.runId === null ? 'allow' : 'never',
    name: options.name ?? runId,
    project: options.project,
    framework: `tensorflow.js ${tf.version_core}`,
    optimizer: optimizerInfo(options.optimizer),
    budgetSteps: options.hasBudget ? options.steps : null,
    mode: options.schedule === null ? options.mode : 'off',
    capabilities: capabilitiesOf(options, trainer),
    learningRate: { initial: options.learningRate, min: null, max: null },
    settings: {
      task: options.task,
      model: options.model,
      widths: options.widths?.join(',') ?? null,
      batchSize: options.batchSize,
      seed: options.seed,
      labelNoise: options.labelNoise,
      trainExamples: options.trainExamples,
      backend: backend.description,
    },
  }
}

function createFollower(
  options: TrainOptions,
  schedule: GivenSchedule | undefined,
  emit: EventSink,
): PlanFollower {
  const momentum = ownMomentum[options.optimizer]
  if (schedule !== undefined)
    return createPlanFollower({ plan: schedule.plan, ownMomentum: momentum, isFixed: true })
  const rate = options.learningRate ?? localRate(options.optimizer)
  const budgetSteps = options.hasBudget ? options.steps : null
  const plan = localPlan(rate, budgetSteps, options.steps)
  if (options.server === null) {
    const shape = budgetSteps === null ? 'held' : 'held for 75 % of the steps, then linear to 0'
    emit({
      event: 'notice',
      message: `no server and no schedule are given: learning rate ${rate} is ${shape}`,
    })
  }
  return createPlanFollower({ plan, ownMomentum: momentum })
}

async function resume(trainer: Trainer, state: StateFolder, start: StartAnswer | undefined): Promise<void> {
  const { newest, named } = await state.load()
  for (const [name, checkpoint] of named) trainer.addCheckpoint(name, checkpoint)
  // A step's number never comes again: what was reported after the checkpoint counts as taken.
  trainer.resumeFrom(newest.checkpoint, Math.max(newest.stepCount, start?.run.step ?? 0))
  disposeCheckpoint(newest.checkpoint)
}

/** What the server knows better than the client at the end: the rate it found, when it switched, and what came of it. */
async function serverSummary(transport: Transport, runId: string): Promise<RunSummary | undefined> {
  try {
    const { status, body } = await transport({ method: 'GET', path: `/runs/${encodeURIComponent(runId)}` })
    return status === 200 ? runSummarySchema.parse(body) : undefined
  } catch {
    return undefined
  }
}

function summaryOf(
  result: SessionResult,
  rest: Pick<
    SummaryEvent,
    'runId' | 'testAccuracy' | 'testLoss' | 'wallSeconds' | 'backend' | 'seed' | 'budgetSteps' | 'isBetter'
  >,
): SummaryEvent {
  const { signalSeconds, probeSeconds, stepSeconds, waitSeconds, steps, kept } = result
  const { switchStep, largeLearningRate } = result
  const trainingSeconds = Math.max(stepSeconds + probeSeconds, Number.MIN_VALUE)
  return {
    event: 'summary',
    ...rest,
    steps,
    kept,
    switchStep,
    largeLearningRate,
    signalShare: signalSeconds / trainingSeconds,
    probeShare: probeSeconds / trainingSeconds,
    waitSeconds,
  }
}

type RunParts = {
  readonly options: TrainOptions
  readonly runId: string
  readonly emit: EventSink
  readonly trainer: Trainer
  readonly backend: Backend
  readonly follower: PlanFollower
  readonly transport: Transport | undefined
  readonly reporter: Reporter | undefined
  readonly state: StateFolder | undefined
}

/** What a run is given besides its options. */
export type RunSurroundings = {
  readonly emit: EventSink
  readonly runId: string
  /** Instead of the server's address. */
  readonly transport?: Transport | undefined
  readonly stop?: AbortSignal | undefined
}

/** The options with the steps of the schedule that is replayed, unless others were given. A run has 20 steps or more. */
function withStepsOf(schedule: GivenSchedule | undefined, options: TrainOptions): TrainOptions {
  const steps = schedule?.steps ?? null
  return steps === null || options.stepsAreGiven ? options : { ...options, steps: Math.max(steps, stepsMin) }
}

async function assemble(given: TrainOptions, { emit, runId, transport }: RunSurroundings): Promise<RunParts> {
  const onNotice = (message: string) => emit({ event: 'notice', message })
  const schedule = given.schedule === null ? undefined : readSchedule(given.schedule)
  const options = withStepsOf(schedule, given)
  const follower = createFollower(options, schedule, emit)
  const { trainer, backend } = await buildTrainer(options, onNotice)
  const { server, token, stateDir, spoolDir } = options
  const send = transport ?? (server === null ? undefined : createHttpTransport(server, { token }))
  const reporter =
    send &&
    createReporter({
      transport: send,
      spool: openSpool(join(spoolDir, `${runId}.${clientId}.ndjson`)),
      runId,
      clientId,
      create: createBody(options, runId, trainer, backend),
      onAnswer: answerHandler(follower, emit),
      onNotice,
    })
  const model = options.widths === null ? options.model : `${options.model} ${options.widths.join('-')}`
  const fits = `${options.task} ${model} ${options.optimizer}, batch ${options.batchSize}`
  // A run that nobody named and no server knows cannot be resumed, so nothing is kept of it.
  const isResumable = reporter !== undefined || options.runId !== null
  const state = isResumable ? openStateFolder(join(stateDir, runId), fits, onNotice) : undefined
  return { options, runId, emit, trainer, backend, follower, transport: send, reporter, state }
}

/** Saves what a stopped run goes on from, and says how. */
async function stopped({ options, runId, emit, trainer, state }: RunParts): Promise<void> {
  state?.save(trainer)
  await state?.settle()
  const how = state === undefined ? '' : `; go on with --run-id ${runId} --resume and the same options`
  emit({ event: 'notice', message: `stopped before step ${trainer.stepCount} of ${options.steps}${how}` })
}

async function finished(parts: RunParts, result: SessionResult, wallSeconds: number): Promise<SummaryEvent> {
  const { options, runId, emit, trainer, backend, transport, reporter, state } = parts
  const test = await trainer.evaluateTest()
  const isKnown = transport !== undefined && reporter?.status === 'online'
  const known = isKnown ? await serverSummary(transport, runId) : undefined
  const summary = summaryOf(
    {
      ...result,
      largeLearningRate: known?.largeLearningRate ?? result.largeLearningRate,
      switchStep: known?.switchStep ?? result.switchStep,
    },
    {
      runId,
      testAccuracy: test.accuracy,
      testLoss: test.loss,
      wallSeconds,
      backend: backend.name,
      seed: options.seed,
      budgetSteps: options.hasBudget ? options.steps : null,
      isBetter: known?.outcome?.isBetter ?? null,
    },
  )
  await state?.remove()
  emit(summary)
  return summary
}

async function train(parts: RunParts, stop: AbortSignal | undefined): Promise<SummaryEvent | undefined> {
  const { options, emit, trainer, backend, follower, reporter, state } = parts
  const start = await reporter?.start(startMsMax)
  if (options.resume && state !== undefined) await resume(trainer, state, start)
  const started = performance.now()
  const result = await runSession({
    trainer,
    follower,
    reporter,
    stepsMax: options.steps,
    budgetSteps: options.hasBudget ? options.steps : null,
    stepsPerRead: backend.stepsPerRead,
    emit,
    afterStep: () => state?.keepUp(trainer),
    stop,
  })
  const wallSeconds = (performance.now() - started) / 1_000
  if (!result.wasStopped) return finished(parts, result, wallSeconds)
  await stopped(parts)
  return undefined
}

/** Trains to the end. Returns the summary, which was emitted as well; undefined if the run was stopped. */
export async function runTraining(
  options: TrainOptions,
  around: RunSurroundings,
): Promise<SummaryEvent | undefined> {
  const parts = await assemble(options, around)
  const { emit, trainer, reporter } = parts
  try {
    return await train(parts, around.stop)
  } finally {
    reporter?.close()
    if (reporter?.hasUnsent) {
      const command = `twostep train --resume --run-id ${around.runId} --server ${options.server}`
      const message = `not everything was reported: ${reporter.whereUnsent}; "${command}" sends what waits once the server is there`
      emit({ event: 'notice', message, isUnsent: true })
    }
    trainer.dispose()
  }
}
