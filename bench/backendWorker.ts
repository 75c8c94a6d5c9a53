// A contender of `bench backends`: one backend in a process of its own, so that no two share a TensorFlow, a heap or
// a warm cache. It answers each line `{model, steps, signals}` on its standard input with the milliseconds a step.
// `signals` takes the signals that a steered run takes in its large phase; without it a step is plain training.

import { createInterface } from 'node:readline'
import type { Plan } from '../protocol/vocabulary.ts'
import type { Backend, BackendName } from '../trainer/backends/backend.ts'
import { openBackend } from '../trainer/backends/openBackend.ts'
import { loadTask } from '../trainer/data/task.ts'
import { createModel, type ModelName } from '../trainer/models/models.ts'
import { createOptimizer } from '../trainer/optimizers/optimizers.ts'
import { createPlanFollower } from '../trainer/planFollower.ts'
import { createTrainer, type Trainer } from '../trainer/trainer.ts'

export type WorkRequest = { readonly model: ModelName; readonly steps: number; readonly signals: boolean }
export type WorkAnswer = { readonly msPerStep: number }

const batchSize = 128
const segment = { fromStep: 0, toStep: 1, shape: 'constant', from: 0.01, to: 0.01, phase: 'large' } as const
/** What the tuner asks for in the large phase of the demo's run; probes are measured by a whole run instead. */
const cadence = { blockSteps: 20, valleySteps: null, lineSteps: null, microBatchSteps: 20 }
const tripwire = { lossAbove: null, gradientNormAbove: 1e9, thenLearningRate: 0 }
const plan: Plan = { version: 1, segments: [segment], cadence, tripwire }

async function work(
  trainer: Trainer,
  backend: Backend,
  { steps, signals }: WorkRequest,
): Promise<WorkAnswer> {
  const follower = createPlanFollower({ plan, ownMomentum: 0.9 })
  const started = performance.now()
  for (let i = 0; i < steps; i++) {
    const next = follower.next(trainer.stepCount)
    trainer.step(signals ? next : { learningRate: 0.01, momentum: 0.9, measureNorm: false })
    if (trainer.unreadCount >= backend.stepsPerRead) await trainer.read()
  }
  // Reading the last loss waits for a device's queue, so all steps are in the time.
  await trainer.read()
  return { msPerStep: (performance.now() - started) / steps }
}

async function main(name: string): Promise<void> {
  const { backend } = await openBackend(name as BackendName)
  const dataset = loadTask('mnist', { trainExamples: 4_096, seed: 1 })
  const trainers = new Map<ModelName, Trainer>()
  const trainerOf = (model: ModelName): Trainer => {
    const kept = trainers.get(model)
    if (kept !== undefined) return kept
    const optimizer = createOptimizer('momentum')
    const made = createTrainer({
      backend,
      dataset,
      model: createModel(model, dataset),
      optimizer,
      batchSize,
      seed: 1,
    })
    trainers.set(model, made)
    return made
  }
  process.stdout.write(`${JSON.stringify({ ready: backend.description })}\n`)
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line) as WorkRequest
    const answer = await work(trainerOf(request.model), backend, request)
    process.stdout.write(`${JSON.stringify(answer)}\n`)
  }
}

try {
  await main(process.argv[2] ?? '')
} catch (cause) {
  process.stdout.write(`${JSON.stringify({ error: (cause as Error).message })}\n`)
}
