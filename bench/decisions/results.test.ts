import { describe, expect, it } from 'vitest'
import type { Outcome } from '../traces/outcomes.ts'
import { leaveOneOut } from './leaveOneOut.ts'
import { decisionsPicture } from './picture.ts'
import { everything, replay, samplesOf } from './replay.ts'
import { resultsOf } from './results.ts'
import { policyChoice, rivalTimeRows } from './rivalTimes.ts'
import { factorsInForce, ruleChoice, ruleRecords } from './rule.ts'
import { decisionsJson, decisionsMarkdown } from './table.ts'
import { madeUpRun, madeUpTask, madeUpTraces } from './testing/madeUpTraces.ts'
import { tunerChoice } from './timeRows.ts'
import { transferAt, transferChoice } from './transfer.ts'

const task = madeUpTask()
const run = madeUpRun(task, { rate: 0.1, seed: 1 })

describe('a replay', () => {
  it('folds every step up to the switch, and probes at the plan’s own cadence', () => {
    const seen: number[] = []
    const state = replay(task, run, { ...everything, mode: 'off' }, (state) => seen.push(state.seen.step))
    expect(state.seen.step).toBe(2_000)
    expect(state.seen.signals.badSamples).toEqual({
      nonFinite: 0,
      nonFiniteNorms: 0,
      skipped: 0,
      outOfOrder: 0,
      repeated: 0,
      farAhead: 0,
    })
    const gaps = seen.slice(1).map((step, index) => step - seen[index]!)
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(15)
    expect(seen.length).toBeLessThan(run.probes.filter(({ kind }) => kind === 'valley').length)
    expect(seen.length).toBeGreaterThan(20)
  })
  it('withholds what the feed withholds', () => {
    const columns = samplesOf(run, 0, 40, { ...everything, gradientNoise: false })
    expect(columns.microGradientNormSquared).toBeUndefined()
    expect(columns.gradientNormSquared![20]).toBe(1)
    expect(columns.learningRate!.slice(0, 21)).toEqual(
      [...Array(21).keys()].map((step) => (step >= 20 ? 0.1 : 0.1 * (0.1 + (0.9 * step) / 20))),
    )
    const blind = replay(task, run, { ...everything, mode: 'off', heldOut: false })
    expect(blind.options.capabilities).toEqual(['lineProbe', 'microBatchNorms', 'momentum'])
    expect(blind.seen.signals.gap.gaps).toEqual([])
  })
  it('gives the switch that the tuner made', () => {
    const choice = tunerChoice(task, run, everything)
    expect(choice).not.toBe('never')
    expect(tunerChoice(task, run, everything)).toEqual(choice)
  })
})

describe('the rule with free factors', () => {
  const records = ruleRecords(task, run)
  it('switches later when annealing counts for less', () => {
    const steps = [1.7, 0.42, 0.05].map((factor) => {
      const choice = ruleChoice(records, { kind: 'both', factor }, 2_000)
      return choice === 'never' ? 2_000 : choice.switchStep
    })
    expect(steps).toEqual([...steps].sort((a, b) => a - b))
    expect(steps[2]).toBeGreaterThan(steps[0]!)
  })
  it('with the factors in force is the tuner’s own', () => {
    const choices = [1, 2, 3].map((seed) => madeUpRun(task, { rate: 0.1, seed }))
    for (const made of choices)
      expect(ruleChoice(ruleRecords(task, made), factorsInForce, 2_000)).toEqual(
        tunerChoice(task, made, everything),
      )
  })
  it('without a gain to weigh goes on until the switch is forced', () => {
    const none = records.map((record) => ({ ...record, gain: null, gap: null, isRising: false }))
    expect(ruleChoice(none, { kind: 'both', factor: 0.4 }, 2_000)).toMatchObject({ finishStep: 2_000 })
    expect(ruleChoice(none, { kind: 'both', factor: 0.4 }, 2_000)).not.toMatchObject({ switchStep: 500 })
    expect(ruleChoice([], { kind: 'both', factor: 0.4 }, 2_000)).toBe('never')
  })
  it('is fitted on all tasks but the one it is scored on', () => {
    const costs = (best: number) => [0, 1, 2, 3].map((index) => Math.abs(index - best))
    const fitted = leaveOneOut([
      { task: 'a', costs: costs(1) },
      { task: 'b', costs: costs(3) },
      { task: 'c', costs: costs(3) },
    ])
    expect(fitted.get('a')).toBe(3)
    expect(fitted.get('b')).not.toBe(3)
    expect(leaveOneOut([{ task: 'a', costs: [1, 1, 1] }]).get('a')).toBe(0)
  })
})

describe('what reaches held-out data', () => {
  it('is about 1 where both losses fall alike, and none where the training loss does not fall', () => {
    expect(transferAt(run, 1_000)).toBeGreaterThan(0.9)
    expect(transferAt(run, 1_000)).toBeLessThan(2)
    expect(transferAt({ ...run, loss: run.loss.map(() => 1) }, 1_000)).toBeNull()
    expect(transferAt(run, 30)).toBeNull()
  })
  it('falls where held-out loss stays, and the run then finishes early', () => {
    const level = { loss: 0.5, accuracy: 0.8 }
    const probes = run.probes.map((probe) =>
      probe.kind === 'valley' ? { ...probe, averaged: [{ windowSteps: 10, ...level }] } : probe,
    )
    expect(transferAt({ ...run, probes }, 1_000)).toBeCloseTo(0, 6)
    const records = [300, 320, 340].map((step) => ({ step, ratio: 0.05 }))
    expect(transferChoice(records, 'never', 0.2, 2_000)).toEqual({ switchStep: 320, finishStep: 480 })
    const first = { switchStep: 310, finishStep: 2_000 }
    expect(transferChoice(records, first, 0.2, 2_000)).toEqual(first)
    expect(transferChoice(records, 'never', 0.01, 2_000)).toBe('never')
  })
})

describe('the results', () => {
  const outcome = (row: string, seed: number, loss: number): Outcome => ({
    row,
    seed,
    test: { loss, accuracy: 0.9 },
    steps: 2_000,
    givenRate: 0.1,
    largeRate: row.startsWith('ours') ? 0.08 : null,
    switchStep: row.startsWith('ours') ? 1_100 : null,
    searchSteps: null,
    tunerVersion: row.startsWith('ours') ? 2 : null,
    date: '2026-01-01',
  })
  const outcomes = [1, 2, 3].flatMap((seed) => [
    outcome('ours', seed, 0.31),
    outcome('cosine from the start', seed, 0.33),
    outcome('ours, no rate given', seed, 0.32),
  ])
  const results = resultsOf(
    ['one', 'two'].map((name) => ({
      traces: madeUpTraces({ name, bestShare: name === 'one' ? 0.4 : 0.8 }),
      outcomes: name === 'one' ? outcomes : [],
    })),
    rivalTimeRows,
  )
  it('hold every row once, with its regret and its false switches', () => {
    const names = results.rows.map(({ part, name }) => `${part}: ${name}`)
    expect(new Set(names).size).toBe(names.length)
    const find = (name: string) => results.rows.find((row) => `${row.part}: ${row.name}` === name)!
    expect(find('end to end: ours').taskCount).toBe(1)
    expect(find('end to end: cosine from the start').falseSwitchRate).toBeNull()
    expect(find('time: fixed 10 % anneal').falseSwitchRate).toBe(0)
    expect(find('time: fixed 80 % anneal').falseSwitchRate).toBe(1)
    expect(find('time: fixed 80 % anneal').falseLateRate).toBe(0)
    expect(find('time: never anneal').falseLateRate).toBe(1)
    expect(find('rate: ours').regret.meanLoss).toBeGreaterThan(find('rate: default rate').regret.meanLoss)
    for (const row of results.rows.filter(({ part }) => part === 'rate'))
      expect(row.regret.meanLoss).toBeGreaterThanOrEqual(0)
  })
  it('a rival switches where its rule first lowers the rate', () => {
    const flatRun = {
      ...run,
      probes: run.probes.map((probe) =>
        probe.kind === 'valley' ? { ...probe, raw: { loss: 1, accuracy: 0.5 } } : probe,
      ),
    }
    const choice = policyChoice('ReduceLROnPlateau, patience 2', flatRun)
    expect(choice).toMatchObject({ finishStep: 2_000 })
    expect(choice === 'never' ? 0 : choice.switchStep).toBeLessThan(400)
  })
  it('are told as tables, as JSON and as a picture', () => {
    const tables = decisionsMarkdown(results)
    expect(tables).toContain('| ours (1 of 2 tasks) |')
    expect(tables).toContain('| end to end | one | fixed 60 % anneal | -0.0009 (-0.0029 to 0.0011) |')
    expect(tables).toContain('| ours, no rate given | 0.0100 |')
    const json = JSON.parse(JSON.stringify(decisionsJson(results))) as { rows: Record<string, unknown>[] }
    expect(Object.keys(json.rows[0]!)).toEqual(
      expect.arrayContaining([
        'name',
        'meanRegretLoss',
        'worstRegretLoss',
        'meanRegretAccuracy',
        'falseSwitchRate',
        'falseLateRate',
        'switchCount',
      ]),
    )
    const picture = decisionsPicture(results)
    expect(picture).not.toMatch(/NaN|undefined|Infinity/)
    expect(picture.match(/<g transform/g)).toHaveLength(2)
    expect(() => decisionsPicture({ ...results, tasks: [] })).toThrow(RangeError)
  })
})
