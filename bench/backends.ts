// Milliseconds a training step by backend and model (batch 128), as ratios to the WASM backend in the same run: the
// contenders take turns, one round after the other, so what slows the machine slows all of them. PyTorch on the
// processor runs beside them where Python has it. Each process works alone while the others wait.
// Threshold (fixed beforehand): signals and probes take at most 3 % of the training time on the native backend at
// the default cadence, by the trainer's own clock in a steered run.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { median } from 'simple-statistics'
import { backendNames } from '../trainer/backends/backend.ts'
import { type ModelName, modelNames } from '../trainer/models/models.ts'
import type { WorkAnswer, WorkRequest } from './backendWorker.ts'
import { optionOf } from './options.ts'
import { steeredRun } from './steeredRun.ts'

/** A turn is as many steps as fit in this time, at most `turnStepsMax`. */
const turnMs = 400
const turnStepsMax = 200
/** A contender whose step takes longer than this has one turn of one step. */
const slowMs = 2_000
/** A contender that has not said that it is ready by then is left out. */
const readyMs = 60_000

export type Contender = {
  readonly name: string
  readonly description: string
  work(request: WorkRequest): Promise<number>
  stop(): void
}

export type BackendRow = {
  readonly model: ModelName
  readonly name: string
  readonly signals: boolean
  /** Medians over the rounds; the ratio is to WASM's plain step in the same round. */
  readonly msPerStep: number
  readonly ratio: number
  readonly ratioMin: number
  readonly ratioMax: number
  readonly steps: number
}

export type SharesRow = {
  readonly backend: string
  readonly model: ModelName
  readonly steps: number
  readonly signalShare: number
  readonly probeShare: number
}

function lineReader(child: ChildProcessWithoutNullStreams) {
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return async (): Promise<Record<string, unknown>> => {
    for (;;) {
      const { value, done } = await lines.next()
      if (done) return {}
      // Libraries may print to standard output on their own.
      if (value.startsWith('{')) return JSON.parse(value) as Record<string, unknown>
    }
  }
}

/** Starts a contender. @returns why it cannot take part, if it cannot. */
export async function startContender(
  name: string,
  command: string,
  args: readonly string[],
): Promise<Contender | string> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  let lastWords = ''
  child.stderr.on('data', (part: Buffer) => {
    lastWords = `${lastWords}${part}`.slice(-2_000)
  })
  const failed = new Promise<{ error: string }>((resolve) => {
    child.once('error', ({ message }) => resolve({ error: message }))
  })
  const next = lineReader(child)
  const late = new Promise<{ error: string }>((resolve) =>
    setTimeout(resolve, readyMs, { error: `not ready after ${readyMs / 1_000} s` }).unref(),
  )
  const { ready, error } = (await Promise.race([next(), failed, late])) as { ready?: string; error?: string }
  if (ready === undefined) {
    child.kill()
    return error ?? (lastWords.trim().split('\n').at(-1) || 'it ended without a word')
  }
  return {
    name,
    description: ready,
    work: async (request) => {
      child.stdin.write(`${JSON.stringify(request)}\n`)
      const answer = (await next()) as Partial<WorkAnswer> & { error?: string }
      if (answer.msPerStep === undefined) throw new Error(`${name} failed: ${answer.error} ${lastWords}`)
      return answer.msPerStep
    },
    stop: () => child.kill(),
  }
}

async function startAll(names: readonly string[]): Promise<{ contenders: Contender[]; missing: string[] }> {
  const contenders: Contender[] = []
  const missing: string[] = []
  for (const name of names) {
    const isTorch = name.startsWith('pytorch')
    const file = isTorch ? '../../bench/torchWorker.py' : './backendWorker.js'
    const path = fileURLToPath(new URL(file, import.meta.url))
    const started = isTorch
      ? await startContender(name, process.env.PYTHON ?? 'python3', [path, ...name.split('-').slice(1)])
      : await startContender(name, process.execPath, [path, name])
    if (typeof started === 'string') missing.push(`${name}: ${started}`)
    else contenders.push(started)
  }
  return { contenders, missing }
}

type Turn = { readonly contender: Contender; readonly request: WorkRequest; readonly ms: number[] }

/** Warms each turn up, and finds how many steps fit in it. */
async function planTurns(contenders: readonly Contender[], models: readonly ModelName[]): Promise<Turn[]> {
  const turns: Turn[] = []
  for (const model of models)
    for (const contender of contenders) {
      // The first step compiles: kernels on WebGPU, JavaScript everywhere.
      await contender.work({ model, steps: 1, signals: false })
      const second = await contender.work({ model, steps: 1, signals: false })
      if (second > slowMs) {
        turns.push({ contender, request: { model, steps: 1, signals: false }, ms: [second] })
        continue
      }
      const ms = await contender.work({ model, steps: 2, signals: false })
      const steps = Math.max(2, Math.min(turnStepsMax, Math.round(turnMs / ms)))
      // Compilers warm up over dozens of steps.
      await contender.work({ model, steps, signals: !contender.name.startsWith('pytorch') })
      const variants = contender.name.startsWith('pytorch') ? [false] : [false, true]
      for (const signals of variants) turns.push({ contender, request: { model, steps, signals }, ms: [] })
    }
  return turns
}

function rowsOf(turns: readonly Turn[]): BackendRow[] {
  return turns.map(({ contender, request: { model, steps, signals }, ms }) => {
    const base = turns.find(
      ({ contender: { name }, request }) => name === 'wasm' && request.model === model && !request.signals,
    )
    const ratios =
      base === undefined
        ? [Number.NaN]
        : ms.map((value, round) => value / (ms.length === 1 ? median(base.ms) : base.ms[round]!))
    return {
      model,
      name: contender.name,
      signals,
      msPerStep: median(ms),
      ratio: median(ratios),
      ratioMin: Math.min(...ratios),
      ratioMax: Math.max(...ratios),
      steps,
    }
  })
}

/** Rounds of turns, every second one in reverse order. */
export async function stepTimes(
  contenders: readonly Contender[],
  models: readonly ModelName[],
  rounds: number,
): Promise<BackendRow[]> {
  const turns = await planTurns(contenders, models)
  for (let round = 0; round < rounds; round++)
    for (const { contender, request, ms } of round % 2 === 0 ? turns : turns.toReversed())
      if (request.steps > 1) ms.push(await contender.work(request))
  return rowsOf(turns)
}

/** What signals and probes take of a whole steered run, by the trainer's own clock. */
async function shares(backend: 'gpu' | 'native', model: ModelName, steps: number): Promise<SharesRow> {
  const folder = mkdtempSync(join(tmpdir(), 'twostep-bench-'))
  try {
    const job = { task: 'mnist', model, optimizer: 'momentum', seed: 1, budgetSteps: steps, backend } as const
    const { signalShare, probeShare } = (await steeredRun(job, folder)).summary
    return { backend, model, steps, signalShare, probeShare }
  } finally {
    if (existsSync(folder)) rmSync(folder, { recursive: true })
  }
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`

function stepTable(rows: readonly BackendRow[]): string {
  const lines = rows.map(
    ({ model, name, signals, msPerStep, ratio, ratioMin, ratioMax }) =>
      `| ${model} | ${name}${signals ? ' with signals' : ''} | ${msPerStep.toPrecision(3)} | ${ratio.toFixed(3)} | ${ratioMin.toFixed(3)} to ${ratioMax.toFixed(3)} |`,
  )
  return [
    '| model | contender | ms a step | times WASM | rounds |',
    '| --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n')
}

function shareTable(rows: readonly SharesRow[]): string {
  const lines = rows.map(
    ({ backend, model, steps, signalShare, probeShare }) =>
      `| ${backend} | ${model} | ${steps} | ${percent(signalShare)} | ${percent(probeShare)} | ${percent(signalShare + probeShare)} |`,
  )
  return [
    '| backend | model | steps | signals | probes | both |',
    '| --- | --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n')
}

/**
 * @param args `--rounds N` (7), `--models mlp,cnn`, `--backends a,b` (all, pytorch, and pytorch-1 with one thread), `--share-steps N` (1500; 0 =
 * leave the steered runs out), `--json`. $PYTHON names the Python that has PyTorch.
 */
export async function benchBackends(args: readonly string[]): Promise<void> {
  const models = optionOf(args, '--models', modelNames.join(',')).split(',') as ModelName[]
  const names = optionOf(args, '--backends', [...backendNames, 'pytorch', 'pytorch-1'].join(',')).split(',')
  const { contenders, missing } = await startAll(names)
  const described = contenders.map(({ name, description }) => ({ name, description }))
  const rows = await stepTimes(contenders, models, Number(optionOf(args, '--rounds', '7')))
  for (const contender of contenders) contender.stop()
  const shareSteps = Number(optionOf(args, '--share-steps', '1500'))
  const steered = (['gpu', 'native'] as const).find((name) => contenders.some((one) => one.name === name))
  const shareRows: SharesRow[] = []
  if (steered !== undefined && shareSteps > 0)
    for (const model of models) shareRows.push(await shares(steered, model, shareSteps))
  const machine = { node: process.versions.node, processors: availableParallelism(), load: loadavg()[0]! }
  if (args.includes('--json')) {
    console.log(JSON.stringify({ machine, contenders: described, missing, rows, shares: shareRows }))
    return
  }
  for (const { name, description } of described) console.log(`${name}: ${description}`)
  for (const reason of missing) console.log(`missing: ${reason}`)
  console.log(`\n${stepTable(rows)}`)
  if (shareRows.length > 0) console.log(`\n${shareTable(shareRows)}`)
}
