// Undoing a switch by hand, on whole runs.

import { describe, expect, it } from 'vitest'
import { driven } from '../testing/cases/driven.ts'
import { byHand, commandedRun, common, switchSteps } from '../testing/commandedRun.ts'
import { ReportedJob } from '../testing/reportedJob.ts'
import { decisionsOf } from '../testing/syntheticRun.ts'

const switchNow = { kind: 'switch-now', ...common } as const
const undo = { kind: 'undo-switch', ...common } as const

describe('undoing a switch', () => {
  const run = commandedRun({ 600: switchNow, 1000: undo })

  it('climbs back to the large rate over 1 % of the budget, from where the anneal had come to', () => {
    expect(decisionsOf(run, 'undo')).toMatchObject([
      {
        step: 1_000,
        rule: { id: 'person' },
        phase: { from: 'anneal', to: 'large' },
        person: { by: common.by },
        reason: { key: 'undone-by-hand', values: { rate: 0.02, climbSteps: 20 } },
      },
    ])
    expect(run.learningRates[999]).toBeLessThan(0.02)
    expect(Math.abs(run.learningRates[1_000]! - run.learningRates[999]!)).toBeLessThan(0.001)
    for (let step = 1_001; step <= 1_020; step++)
      expect(run.learningRates[step]).toBeGreaterThan(run.learningRates[step - 1]!)
    expect(run.learningRates[1_020]).toBe(0.02)
  })

  it('leaves the switch in the history of phases', () => {
    expect(run.state.phases.map(({ phase, fromStep }) => `${phase} from ${fromStep}`)).toEqual([
      'large from 0',
      'anneal from 600',
      'large from 1000',
      'anneal from 1800',
      'done from 2000',
    ])
    expect(switchSteps(run)).toEqual([600, 1_801])
  })

  it('forgets what the probes of the anneal said, which lie below the valley', () => {
    const { state } = commandedRun({ 600: switchNow, 1000: undo }, { stepCount: 1_000 })
    const { valley, averagedLosses, gap } = state.seen.signals
    expect(averagedLosses).toEqual([])
    expect(gap.count).toBe(0)
    expect(Math.max(...valley.points.map(({ runLength }) => runLength))).toBeLessThanOrEqual(600)
  })

  it('takes back what the anneal had asked for', () => {
    const { state } = commandedRun({ 600: switchNow, 1000: undo }, { stepCount: 1_000 })
    expect(state.actions.filter(({ kind }) => kind === 'probe')).toEqual([])
  })

  it('lasts where the job still follows the plan with the anneal, which it names, until it hears of the undo', () => {
    for (const lagSteps of [0, 30]) {
      const job = new ReportedJob({ budgetSteps: 2_000, learningRate: 0.02, lagSteps, batchRows: 10 })
      const falling = { loss: (step: number) => 0.5 + 2 / (1 + step / 50) }
      driven(job, falling, { toStep: 400 })
      job.command(switchNow)
      driven(job, falling, { fromStep: 400, toStep: 500 })
      job.command(undo)
      driven(job, falling, { fromStep: 500, toStep: 1_000 })
      const made = job.decisions.map(({ kind }) => kind)
      expect(made.slice(made.indexOf('switch'))).toEqual(['switch', 'undo'])
      expect(job.taken.at(-1)!.applied).toBe(0.02)
    }
  })

  it('lasts for a job that only reports its loss: it stays large until the switch is forced', () => {
    const blind = commandedRun({ 1550: undo }, { capabilities: [] })
    expect(switchSteps(blind)).toEqual([1_500, 1_801])
    expect(blind.learningRates[1_750]).toBe(0.02)
  })

  it('is refused when under a fifth of the budget is left, and where there is no switch', () => {
    const keys = (at: number) => byHand(commandedRun({ 600: switchNow, [at]: undo })).at(-1)
    expect(keys(1_601)).toBe('hold at 1601: noted-undo-too-late')
    expect(keys(1_600)).toBe('undo at 1600: undone-by-hand')
    expect(byHand(commandedRun({ 600: undo }))).toEqual(['hold at 600: noted-no-switch'])
  })

  it('may be done again after another switch by hand', () => {
    const twice = commandedRun({ 600: switchNow, 700: undo, 900: switchNow, 1000: undo })
    expect(decisionsOf(twice, 'undo').map(({ step }) => step)).toEqual([700, 1_000])
    expect(twice.state.lifecycle).toBe('finished')
  })
})
