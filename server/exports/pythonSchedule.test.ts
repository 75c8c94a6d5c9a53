import { expect, test } from 'vitest'
import { segmentRate } from '../../protocol/plan.ts'
import type { AppliedSpan, Segment } from '../../protocol/vocabulary.ts'
import { pythonFormats } from './frameworks.ts'
import { pythonFloat, pythonText } from './literals.ts'
import { type Exported, fileBytesMax, pythonSchedule } from './pythonSchedule.ts'

const span = (fromStep: number, toStep: number, learningRate: number, momentum: number | null = null) => ({
  fromStep,
  toStep,
  learningRate,
  momentum,
})
const anneal: Segment = { fromStep: 100, toStep: 200, shape: 'linear', from: 0.1, to: 0 }
const exported = (more: Partial<Exported> = {}): Exported => ({
  run: { id: 'r1', step: 100, options: { name: 'first', project: 'default' } },
  applied: [span(0, 100, 0.1)],
  planned: [anneal],
  ...more,
})
const stepByStep = (count: number, rateAt: (step: number) => number): AppliedSpan[] =>
  Array.from({ length: count }, (_, step) => span(step, step + 1, Number(rateAt(step).toPrecision(9))))

test('a file says which run it holds, which steps, and how it is used', () => {
  const text = pythonSchedule(exported(), 'pytorch')
  expect(text.split('\n').slice(0, 9)).toEqual([
    '# Learning rates of run "r1", made by Twostep.',
    '# Its name: "first", in project "default".',
    '# Applied: steps 0 to 99. Planned: steps 100 to 199.',
    '#',
    '# Save this file as schedule.py beside your program; twostep is not needed. Then:',
    '#     from schedule import lr_scheduler',
    '#     scheduler = lr_scheduler(optimizer)',
    '#     optimizer.step(); scheduler.step()  # each step',
    '"""A learning rate schedule, step by step.',
  ])
  expect(text).toContain('APPLIED = (\n    (0, 1, "held", (0.1,)),\n)')
  expect(text).toContain('PLANNED = (\n    (100, 1, "linear", (100, 200, 0.1, 0.0)),\n)')
})

test('a name cannot leave its comment, whatever it holds', () => {
  const name = '"""\n\r\nimport os\u0085\u2028\\" \u202eevil\u0000'
  for (const format of pythonFormats) {
    const run = { id: 'r1', step: 100, options: { name, project: "'''\n#" } }
    const lines = pythonSchedule(exported({ run }), format).split(/\r\n|[\n\r\u0085\u2028\u2029]/)
    const docstring = lines.findIndex((line) => line.startsWith('"""'))
    expect(lines.slice(0, docstring).every((line) => line.startsWith('#'))).toBe(true)
    expect(lines[1]).toBe(
      String.raw`# Its name: "\"\"\"\n\r\nimport os\u0085\u2028\\\" \u202eevil\u0000", in project "'''\n#".`,
    )
    expect(lines.filter((line) => line.includes('evil'))).toHaveLength(1)
  }
})

test('texts and numbers are literals of the same value', () => {
  expect(pythonText('ä 漢 🙂 \ud800 "\\')).toBe(String.raw`"ä 漢 🙂 \ud800 \"\\"`)
  expect([1, 0.1, 1e-7, 1.5e21, 0].map(pythonFloat)).toEqual(['1.0', '0.1', '1e-7', '1.5e+21', '0.0'])
})

test('momentum that changes is told, one that does not is not', () => {
  const changed = exported({ applied: [span(0, 50, 0.1, 0.85), span(50, 100, 0.1, 0.95)] })
  expect(pythonSchedule(changed, 'optax')).toContain(
    '# Momentum changed too, between 0.85 and 0.95: this file',
  )
  const constant = exported({ applied: [span(0, 100, 0.1, 0.9)], planned: [{ ...anneal, momentum: 0.9 }] })
  expect(pythonSchedule(constant, 'optax')).not.toContain('omentum changed')
})

test('a run that has not begun holds its plan, and one that ended without a rate is told what to do', () => {
  const unbegun = exported({
    applied: [],
    run: { ...exported().run, step: 7 },
    planned: [{ ...anneal, fromStep: 7 }],
  })
  const text = pythonSchedule(unbegun, 'keras')
  expect(text).toContain('# Applied: nothing yet. Planned: steps 7 to 199.')
  expect(text).toContain('FIRST_STEP = 7\n')
  expect(text).toContain('APPLIED = ()\n')
  const silent = exported({ applied: [], planned: [] })
  expect(() => pythonSchedule(silent, 'keras')).toThrow(
    '?format must be json or csv for this run: it has ended, and its job has reported no rate',
  )
  const ended = pythonSchedule(exported({ planned: [] }), 'keras')
  expect(ended).toContain('# Applied: steps 0 to 99. Planned: nothing more.')
  expect(ended).toContain('PLANNED = ()\n')
})

test('what was reported far ahead of the plan is not taken for the run', () => {
  const text = pythonSchedule(exported({ applied: [span(0, 100, 0.1), span(9_000, 9_001, 0.7)] }), 'pytorch')
  expect(text).toContain('# Applied: steps 0 to 99.')
  expect(text).not.toContain('0.7')
})

test('100,000 steps with a linear anneal are a small file', () => {
  const held: Segment = { ...anneal, fromStep: 0, toStep: 30_000, shape: 'constant', to: 0.1 }
  const segments = [held, { ...anneal, fromStep: 30_000, toStep: 100_000 }]
  const applied = stepByStep(100_000, (k) => segmentRate(segments.find(({ toStep }) => k < toStep)!, k))
  const run = { ...exported().run, step: 100_000 }
  for (const format of pythonFormats) {
    const text = pythonSchedule({ run, applied, planned: [] }, format)
    expect(text.length).toBeLessThan(10_000)
    expect(text).toContain('"linear"')
  }
})

test('a file that would be too large names the format that is not', () => {
  const noise = stepByStep(500_000, (k) => 0.1 + 0.05 * Math.sin(k * k))
  const applied = noise.map((one) => ({
    ...one,
    learningRate: one.learningRate + 1e-16 * (one.fromStep % 7),
  }))
  const run = { ...exported().run, step: 500_000 }
  expect(() => pythonSchedule({ run, applied, planned: [] }, 'pytorch')).toThrow(
    new RegExp(
      `\\?format must be csv for this run: as a file its rates take \\d+ bytes, and ${fileBytesMax} are`,
    ),
  )
})
