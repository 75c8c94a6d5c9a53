import { describe, expect, it } from 'vitest'
import { planProblem } from '../protocol/plan.ts'
import { localPlan } from './localPlan.ts'
import { parseOptions, UsageError } from './options.ts'

const parse = (line: string, environment = {}) =>
  parseOptions(line === '' ? [] : line.split(' '), environment)

describe('the options', () => {
  it('have defaults for everything', () => {
    expect(parse('')).toMatchObject({
      task: 'mnist',
      model: 'mlp',
      steps: 4_500,
      hasBudget: true,
      batchSize: 128,
      optimizer: 'momentum',
      learningRate: null,
      widths: null,
      mode: 'auto',
      backend: 'auto',
      seed: 1,
      server: null,
      events: false,
    })
    expect(parse('--no-budget')).toMatchObject({ hasBudget: false, steps: 100_000 })
    expect(parse('--help')).toBe('help')
  })
  it('take what is given, a flag before the environment', () => {
    const line =
      '--task fashion --model cnn --steps 500 --batch-size 64 --optimizer adam --learning-rate 1e-3 --label-noise 0.3 --seed 7 --run-id a.b --resume --events --server http://h:1'
    expect(parse(line, { TWOSTEP_SERVER_URL: 'http://other' })).toMatchObject({
      task: 'fashion',
      model: 'cnn',
      steps: 500,
      batchSize: 64,
      optimizer: 'adam',
      learningRate: 0.001,
      labelNoise: 0.3,
      seed: 7,
      runId: 'a.b',
      resume: true,
      events: true,
      server: 'http://h:1',
    })
    expect(parse('--widths 64,32')).toMatchObject({ model: 'mlp', widths: [64, 32] })
    expect(parse('--model cnn --widths 8,16')).toMatchObject({ widths: [8, 16] })
    expect(
      parse('', { TWOSTEP_SERVER_URL: 'https://x', TWOSTEP_PROJECT: 'p', TWOSTEP_TOKEN: 't' }),
    ).toMatchObject({ server: 'https://x', project: 'p', token: 't' })
  })
  it.each([
    ['--task cats', '--task must be one of mnist, fashion, digits, text, got "cats"'],
    ['--steps 10', '--steps must be a whole number from 20 to 1000000000, got "10"'],
    ['--steps 2.5', '--steps must be a whole number from 20 to 1000000000, got "2.5"'],
    ['--steps NaN', '--steps must be a whole number from 20 to 1000000000, got "NaN"'],
    ['--batch-size 0', '--batch-size must be a whole number from 1 to 8192, got "0"'],
    ['--learning-rate 0', '--learning-rate must be a number above 0, got "0"'],
    ['--learning-rate Infinity', '--learning-rate must be a number above 0, got "Infinity"'],
    ['--label-noise 1', '--label-noise must be a number from 0 to below 1, got "1"'],
    [
      '--widths 64,x',
      '--widths must be 1 to 4 whole numbers from 1 to 4096 for the mlp, with commas between, got "64,x"',
    ],
    ['--widths 0', '--widths must be 1 to 4 whole numbers from 1 to 4096 for the mlp'],
    [
      '--model cnn --widths 8',
      '--widths must be 2 whole numbers from 1 to 4096 for the cnn, with commas between, got "8"',
    ],
    ['--mode fast', '--mode must be one of auto, advisory, approve, off, got "fast"'],
    ['--backend tpu', '--backend must be one of auto, gpu, native, webgpu, wasm, cpu, got "tpu"'],
    [
      '--server ftp://x',
      '--server must be an http or https address such as http://127.0.0.1:7317, got "ftp://x"',
    ],
    ['--run-id -x', '--run-id'],
    [
      '--run-id a/b',
      '--run-id must be 1 to 128 letters, digits, ".", "_" or "-", starting with a letter or digit, and not "import", got "a/b"',
    ],
    ['--resume', '--resume must come with --run-id, the run to go on with, got none'],
    ['--stepz 3', "Unknown option '--stepz'; allowed are --task, --model,"],
    ['extra', "Unexpected argument 'extra'"],
    ['--steps', '--steps'],
  ])('%s is refused with a sentence', (line, sentence) => {
    expect(() => parse(line)).toThrow(UsageError)
    expect(() => parse(line)).toThrow(sentence)
  })
})

describe('the plan of a run that is given none', () => {
  it('holds the rate for 75 % of the budget, then goes to 0', () => {
    const plan = localPlan(0.1, 200, 200)
    expect(planProblem(plan)).toBeUndefined()
    expect(plan.segments.map(({ fromStep, toStep, shape }) => [fromStep, toStep, shape])).toEqual([
      [0, 150, 'constant'],
      [150, 200, 'linear'],
    ])
  })
  it('without a budget holds it', () => {
    expect(localPlan(0.1, null, 1_000).segments).toHaveLength(1)
  })
})
