// The trainer's command line, parsed once into values that cannot be wrong. Everything that is not understood is
// one sentence: the option, the value, what is allowed.

import { parseArgs } from 'node:util'
import { runIdSchema } from '../protocol/schemas.ts'
import { type Mode, modes } from '../protocol/vocabulary.ts'
import { type BackendChoice, backendChoices } from './backends/openBackend.ts'
import { type TaskName, taskNames } from './data/task.ts'
import { type ModelName, modelNames, widthsAllowed } from './models/models.ts'
import { type OptimizerName, optimizerNames } from './optimizers/optimizer.ts'

export type TrainOptions = {
  readonly task: TaskName
  readonly model: ModelName
  /** Hidden widths of an MLP, filter counts of a CNN; null = the model's usual ones. */
  readonly widths: readonly number[] | null
  readonly steps: number
  /** Else `steps` is the usual number, or that of a schedule that is replayed. */
  readonly stepsAreGiven: boolean
  /** false: the run has no budget; `steps` is then only the most it may take. */
  readonly hasBudget: boolean
  readonly batchSize: number
  readonly optimizer: OptimizerName
  /** null = found by the tuner (without a server: the optimizer's usual rate). */
  readonly learningRate: number | null
  readonly labelNoise: number
  readonly trainExamples: number | null
  readonly probeExamples: number
  readonly mode: Mode
  readonly schedule: string | null
  readonly backend: BackendChoice
  readonly seed: number
  readonly server: string | null
  readonly token: string | null
  readonly name: string | null
  readonly project: string
  readonly runId: string | null
  readonly resume: boolean
  readonly stateDir: string
  readonly spoolDir: string
  readonly events: boolean
}

/** The fewest steps of a run. */
export const stepsMin = 20

/** A wrong option; the message is a sentence for the person who typed it. Exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

export const usage = `Usage: twostep train [options]

Trains a small network with TensorFlow.js, steered by a twostep server or by a schedule.

  --task ${taskNames.join('|')}        what to learn (mnist)
  --model ${modelNames.join('|')}                   network (mlp)
  --widths N,N                      hidden widths of the mlp (1 to 4), filter counts of the cnn (2)
  --steps N                         optimizer steps (4500; those of the schedule, if one is replayed)
  --no-budget                       no fixed number of steps; --steps is then the most (100000)
  --batch-size N                    examples a step (128)
  --optimizer ${optimizerNames.join('|')}     (momentum)
  --learning-rate X                 first rate (found by the tuner; alone: the optimizer's usual one)
  --label-noise X                   share of wrong training labels, 0 to below 1 (0)
  --train-examples N                use only the first N training examples
  --probe-examples N                held-out examples of a probe, 1 to 2000 (512)
  --mode ${modes.join('|')}   how far the tuner's decisions reach (auto)
  --schedule FILE                   replay what \`twostep get schedule RUN --json\` has printed, or follow a plan,
                                    JSON {"segments": [...]}, without steering
  --backend ${backendChoices.join('|')}  (auto: the fastest that passes its self-test)
  --seed N                          (1)
  --server URL                      twostep server (TWOSTEP_SERVER_URL); absent: train by the schedule alone
  --name TEXT, --project TEXT       how the run is listed
  --run-id ID                       the run's id; with --resume: the run to go on with
  --resume                          go on from the last checkpoint on disk
  --state-dir DIR, --spool-dir DIR  where checkpoints and unsent reports are kept (.twostep/trainer, .twostep/spool)
  --events                          progress as JSON lines on stdout
  --help
`

const optionTypes = {
  task: { type: 'string' },
  model: { type: 'string' },
  widths: { type: 'string' },
  steps: { type: 'string' },
  'no-budget': { type: 'boolean' },
  'batch-size': { type: 'string' },
  optimizer: { type: 'string' },
  'learning-rate': { type: 'string' },
  'label-noise': { type: 'string' },
  'train-examples': { type: 'string' },
  'probe-examples': { type: 'string' },
  mode: { type: 'string' },
  schedule: { type: 'string' },
  backend: { type: 'string' },
  seed: { type: 'string' },
  server: { type: 'string' },
  name: { type: 'string' },
  project: { type: 'string' },
  'run-id': { type: 'string' },
  resume: { type: 'boolean' },
  'state-dir': { type: 'string' },
  'spool-dir': { type: 'string' },
  events: { type: 'boolean' },
  help: { type: 'boolean' },
} as const

function oneOf<Name extends string>(
  option: string,
  value: string | undefined,
  allowed: readonly Name[],
  otherwise: Name,
): Name {
  if (value === undefined) return otherwise
  if ((allowed as readonly string[]).includes(value)) return value as Name
  throw new UsageError(`--${option} must be one of ${allowed.join(', ')}, got ${JSON.stringify(value)}`)
}

function numberOf(
  option: string,
  value: string | undefined,
  { isAllowed, allowed }: { isAllowed: (number: number) => boolean; allowed: string },
): number | null {
  if (value === undefined) return null
  const number = value.trim() === '' ? Number.NaN : Number(value)
  if (Number.isFinite(number) && isAllowed(number)) return number
  throw new UsageError(`--${option} must be ${allowed}, got ${JSON.stringify(value)}`)
}

const whole = (from: number, to: number) => ({
  isAllowed: (number: number) => Number.isInteger(number) && number >= from && number <= to,
  allowed: `a whole number from ${from} to ${to}`,
})

function widthsOf(value: string | undefined, model: ModelName): readonly number[] | null {
  if (value === undefined) return null
  const widths = value.split(',').map((part) => (/^\d+$/.test(part) ? Number(part) : Number.NaN))
  const allowed = widthsAllowed(model, widths)
  if (allowed === undefined) return widths
  throw new UsageError(`--widths must be ${allowed}, with commas between, got ${JSON.stringify(value)}`)
}

function serverUrl(value: string | undefined): string | null {
  if (value === undefined) return null
  const url = URL.canParse(value) ? new URL(value) : undefined
  if (url !== undefined && (url.protocol === 'http:' || url.protocol === 'https:')) return value
  throw new UsageError(
    `--server must be an http or https address such as http://127.0.0.1:7317, got ${JSON.stringify(value)}`,
  )
}

function runIdOf(value: string | undefined): string | null {
  if (value === undefined) return null
  const { error } = runIdSchema.safeParse(value)
  if (error === undefined) return value
  throw new UsageError(`--run-id ${error.issues[0]?.message}, got ${JSON.stringify(value)}`)
}

function textOf(option: string, value: string | undefined): string | null {
  if (value === undefined || (value.length >= 1 && value.length <= 128)) return value ?? null
  throw new UsageError(`--${option} must be 1 to 128 characters, got ${value.length}`)
}

function parsedValues(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: optionTypes, strict: true, allowPositionals: false }).values
  } catch (cause) {
    const names = Object.keys(optionTypes).map((name) => `--${name}`)
    throw new UsageError(
      `${(cause as Error).message.split('. To specify')[0]}; allowed are ${names.join(', ')}`,
    )
  }
}

/** 'help' = the usage text was asked for. @throws UsageError. */
export function parseOptions(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): TrainOptions | 'help' {
  const values = parsedValues(argv)
  if (values.help) return 'help'
  const hasBudget = values['no-budget'] !== true
  const positive = { isAllowed: (number: number) => number > 0, allowed: 'a number above 0' }
  const share = {
    isAllowed: (number: number) => number >= 0 && number < 1,
    allowed: 'a number from 0 to below 1',
  }
  const model = oneOf('model', values.model, modelNames, 'mlp')
  const options: TrainOptions = {
    task: oneOf('task', values.task, taskNames, 'mnist'),
    model,
    widths: widthsOf(values.widths, model),
    steps: numberOf('steps', values.steps, whole(stepsMin, 1e9)) ?? (hasBudget ? 4_500 : 100_000),
    stepsAreGiven: values.steps !== undefined,
    hasBudget,
    batchSize: numberOf('batch-size', values['batch-size'], whole(1, 8_192)) ?? 128,
    optimizer: oneOf('optimizer', values.optimizer, optimizerNames, 'momentum'),
    learningRate: numberOf('learning-rate', values['learning-rate'], positive),
    labelNoise: numberOf('label-noise', values['label-noise'], share) ?? 0,
    trainExamples: numberOf('train-examples', values['train-examples'], whole(1, 1e6)),
    probeExamples: numberOf('probe-examples', values['probe-examples'], whole(1, 2_000)) ?? 512,
    mode: oneOf('mode', values.mode, modes, 'auto'),
    schedule: values.schedule ?? null,
    backend: oneOf('backend', values.backend, backendChoices, 'auto'),
    seed: numberOf('seed', values.seed, whole(0, 2 ** 32 - 1)) ?? 1,
    server: serverUrl(values.server ?? environment.TWOSTEP_SERVER_URL),
    token: environment.TWOSTEP_TOKEN ?? null,
    name: textOf('name', values.name),
    project: textOf('project', values.project ?? environment.TWOSTEP_PROJECT) ?? 'default',
    runId: runIdOf(values['run-id'] ?? environment.TWOSTEP_RUN_ID),
    resume: values.resume === true,
    stateDir: values['state-dir'] ?? '.twostep/trainer',
    spoolDir: values['spool-dir'] ?? environment.TWOSTEP_SPOOL_DIR ?? '.twostep/spool',
    events: values.events === true,
  }
  if (options.resume && options.runId === null)
    throw new UsageError('--resume must come with --run-id, the run to go on with, got none')
  return options
}
