import { describe, expect, it } from 'vitest'
import type { CheckpointTruth, ForkTruth } from '../traces/format.ts'
import { loadTraces } from '../traces/store.ts'
import { controlOf, hasLearned, loadControls } from './controls.ts'
import { dropsOf, labelOf } from './label.ts'
import { reliabilityPicture } from './picture.ts'
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
  const traces = ['digits', 'mnist'].map((task) => {
    const { header, runs } = loadTraces(task)!
    return { header, runs: runs.filter(({ seed }) => seed === 1) }
  })
  const results = resultsOf(traces)
  it('tells the regimes of a task by coefficients of another, better than chance', () => {
    const [taken] = results.rows
    expect(taken!.all.area).toBeGreaterThan(0.8)
    expect([...taken!.tasks.keys()]).toEqual(['digits', 'mnist'])
    expect(results.reliability.reduce((sum, { points }) => sum + points, 0)).toBe(taken!.all.points)
  })
  it('says so in words, numbers and a picture', () => {
    const controls = loadControls()
    const text = regimeMarkdown(results, controls)
    expect(text).toContain('D/L (taken)')
    expect(JSON.parse(JSON.stringify(regimeJson(results, controls))).rows[0].tasks.mnist.runs).toBe(4)
    expect(reliabilityPicture(results.reliability)).toMatch(/^<svg[\s\S]*<\/svg>\n$/)
  })
  it('counts what the index called the probes of a control, from the eighth on', () => {
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
