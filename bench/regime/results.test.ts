import { describe, expect, it } from 'vitest'
import type { CheckpointTruth, ForkTruth, TaskTraces } from '../traces/format.ts'
import { loadTraces } from '../traces/store.ts'
import { loadAnneals } from './anneals.ts'
import { controlOf, hasLearned, loadControls } from './controls.ts'
import { dropsOf, labelOf } from './label.ts'
import { resultsOf } from './results.ts'
import { regimeJson, regimeMarkdown } from './table.ts'

const score = (loss: number) => ({ loss, accuracy: 0.5 })
const fork = (rateFactor: number, loss: number): ForkTruth => ({
  rateFactor,
  toStep: 20,
  heldOut: score(loss),
  train: score(loss),
})
const checkpoint = (forks: readonly ForkTruth[]): CheckpointTruth => ({
  share: 0.1,
  step: 10,
  before: { test: score(1), heldOut: score(1), train: score(1) },
  anneals: [],
  forks,
})
const label = (drop: number, staying: number) =>
  labelOf(dropsOf(checkpoint([fork(0.1, 1 - drop), fork(1, 1 - staying)]), 'train'))

describe('the label of a checkpoint', () => {
  it('is large-step where a tenth of the loss goes at once and staying takes off clearly less', () => {
    expect(label(0.2, 0.1)).toBe('large-step')
    expect(label(0.2, -0.3)).toBe('large-step')
  })
  it('is small-step where next to nothing goes, or staying takes off as much', () => {
    expect(label(0.01, -0.5)).toBe('small-step')
    expect(label(0.2, 0.3)).toBe('small-step')
    expect(label(-0.2, -0.4)).toBe('small-step')
  })
  it('is between where it is neither, and no label where a loss is not finite', () => {
    expect(label(0.06, 0)).toBe('between')
    expect(label(0.2, 0.18)).toBe('between')
    expect(label(Number.NaN, 0)).toBe('no label')
  })
  it('needs both forks', () => {
    expect(() => dropsOf(checkpoint([fork(0.1, 1)]), 'train')).toThrow(/rate factor 1/)
  })
})

describe('the regime benchmark', () => {
  const firstSeeds = (traces: readonly TaskTraces[], seed: number) =>
    traces.map(({ header, runs }) => ({ header, runs: runs.filter((run) => run.seed === seed) }))
  const traces = firstSeeds(
    ['digits', 'mnist'].map((task) => loadTraces(task)!),
    1,
  )
  const constant = resultsOf(traces)
  const annealed = resultsOf(
    firstSeeds(
      loadAnneals().filter(({ header }) => ['digits', 'fashion'].includes(header.task.name)),
      11,
    ),
  )
  it('tells the regimes apart, better than chance, at a constant rate and inside anneals', () => {
    for (const { rows } of [constant, annealed]) expect(rows[0]!.all.area).toBeGreaterThan(0.9)
    expect([...constant.rows[0]!.tasks.keys()]).toEqual(['digits', 'mnist'])
  })
  it('follows an anneal through a half where forks say so', () => {
    const { said, crossed } = annealed.crossings
    expect(said).toBeGreaterThan(0)
    expect(crossed).toBe(said)
  })
  it('names few checkpoints wrongly, and says how many', () => {
    const { judged, falseOnes } = constant.transitions
    expect(judged).toBeGreaterThan(3)
    expect(falseOnes).toBeLessThanOrEqual(1)
    const large = constant.named.find(({ set, label: own }) => set === 'train' && own === 'large-step')!
    expect(large.counts['large-step']).toBeGreaterThan(large.counts['small-step'])
  })
  it('says so in words and numbers', () => {
    const controls = loadControls()
    const text = regimeMarkdown(constant, annealed, controls)
    expect(text).toContain('(taken)')
    expect(text).not.toContain('NaN')
    const json = JSON.parse(JSON.stringify(regimeJson(constant, annealed, controls)))
    expect(json.constant.rows[0].tasks.mnist.runs).toBe(4)
  })
  it('counts what the probes of a control were called, from the fourth on', () => {
    const { header, runs } = traces[0]!
    const { probes, named, labels } = controlOf('always-large', header.task, runs.at(-1)!)
    expect(Object.values(named).reduce((sum, count) => sum + count, 0)).toBe(probes)
    expect(probes).toBeGreaterThan(0)
    expect(labels).toHaveLength(8)
  })
})

describe('a control', () => {
  const losses = (end: number) => [...Array(10).fill(2), ...Array(10).fill(end)]
  it('has learned where its loss ends at half or less, finite throughout', () => {
    expect(hasLearned({ divergedAtStep: null, loss: losses(1) })).toBe(true)
    expect(hasLearned({ divergedAtStep: null, loss: losses(1.9) })).toBe(false)
    expect(hasLearned({ divergedAtStep: null, loss: losses(Number.NaN) })).toBe(false)
    expect(hasLearned({ divergedAtStep: 20, loss: losses(1) })).toBe(false)
  })
})
