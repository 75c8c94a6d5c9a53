// Is the demo's run a good one? Three seeds of the steered run against the same job at a constant rate and under a
// fixed 45 % linear anneal, all with the same number of steps. The rivals get the rate that the tuner found for the
// same seed as a present, and spend no step on a search; two more rows use a usual default rate instead.
// Thresholds (fixed beforehand): every seed switches by the rule; no seed is worse than the constant rate or than
// the fixed anneal by more than .2 points of test accuracy.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Plan, Segment } from '../protocol/vocabulary.ts'
import { largeRateOf, switchStepOf } from '../tuner/state.ts'
import { optionOf } from './options.ts'
import { type JobOptions, plannedRun, type RunOutcome, steeredRun } from './steeredRun.ts'

export const defaultRate = 0.1
const fixedAnnealShare = 0.45

export type DemoRow = {
  readonly seed: number
  readonly name: string
  readonly learningRate: number
  readonly switchStep: number | null
  readonly switchReason: string | null
  readonly testAccuracy: number
  readonly testLoss: number
  readonly signalShare: number | null
  readonly probeShare: number | null
  readonly seconds: number
}

const constant = (rate: number, fromStep: number, toStep: number): Segment => ({
  fromStep,
  toStep,
  shape: 'constant',
  from: rate,
  to: rate,
})

export function constantPlan(rate: number, budgetSteps: number): Plan {
  return { version: 1, segments: [constant(rate, 0, budgetSteps)] }
}

/** Constant, then linear to 0 over the last `share` of the budget. */
export function annealPlan(rate: number, budgetSteps: number, share: number): Plan {
  const switchStep = Math.round((1 - share) * budgetSteps)
  const anneal: Segment = { fromStep: switchStep, toStep: budgetSteps, shape: 'linear', from: rate, to: 0 }
  return { version: 1, segments: switchStep === 0 ? [anneal] : [constant(rate, 0, switchStep), anneal] }
}

function rivalRow(seed: number, name: string, learningRate: number, outcome: RunOutcome): DemoRow {
  const { testAccuracy, testLoss, seconds } = outcome
  return {
    seed,
    name,
    learningRate,
    switchStep: null,
    switchReason: null,
    testAccuracy,
    testLoss,
    signalShare: null,
    probeShare: null,
    seconds,
  }
}

export async function demoRows(job: JobOptions): Promise<DemoRow[]> {
  const { seed, budgetSteps } = job
  const folder = mkdtempSync(join(tmpdir(), 'twostep-bench-'))
  const steered = await steeredRun(job, folder)
  rmSync(folder, { recursive: true, force: true })
  const rate = largeRateOf(steered.state.course) ?? defaultRate
  const rows: DemoRow[] = [
    {
      seed,
      name: 'twostep',
      learningRate: rate,
      switchStep: switchStepOf(steered.state.course),
      switchReason: steered.decisions.find(({ kind }) => kind === 'switch')?.summary ?? null,
      testAccuracy: steered.testAccuracy,
      testLoss: steered.testLoss,
      signalShare: steered.summary.signalShare,
      probeShare: steered.summary.probeShare,
      seconds: steered.seconds,
    },
  ]
  for (const [name, at] of [
    ['its rate', rate],
    ['rate 0.1', defaultRate],
  ] as const) {
    rows.push(rivalRow(seed, `constant, ${name}`, at, await plannedRun(job, constantPlan(at, budgetSteps))))
    rows.push(
      rivalRow(
        seed,
        `fixed 45 % anneal, ${name}`,
        at,
        await plannedRun(job, annealPlan(at, budgetSteps, fixedAnnealShare)),
      ),
    )
  }
  return rows
}

const percent = (share: number | null): string => (share === null ? '' : `${(100 * share).toFixed(2)} %`)

export function demoTable(rows: readonly DemoRow[]): string {
  const lines = rows.map(
    ({ seed, name, learningRate, switchStep, testAccuracy, testLoss, signalShare, probeShare, seconds }) =>
      `| ${seed} | ${name} | ${learningRate.toPrecision(3)} | ${switchStep ?? ''} | ${percent(testAccuracy)} | ${testLoss.toFixed(4)} | ${percent(signalShare)} | ${percent(probeShare)} | ${seconds.toFixed(0)} |`,
  )
  return [
    '| seed | run | rate | switch | test accuracy | test loss | signals | probes | seconds |',
    '| --- | --- | --- | --- | --- | --- | --- | --- | --- |',
    ...lines,
  ].join('\n')
}

/** @param args `--steps N`, `--seeds 1,2,3`, `--json`. */
export async function benchDemo(args: readonly string[]): Promise<void> {
  const budgetSteps = Number(optionOf(args, '--steps', '4500'))
  const rows: DemoRow[] = []
  for (const seed of optionOf(args, '--seeds', '1,2,3').split(',').map(Number))
    rows.push(...(await demoRows({ task: 'mnist', model: 'mlp', optimizer: 'momentum', seed, budgetSteps })))
  console.log(args.includes('--json') ? JSON.stringify({ budgetSteps, rows }) : demoTable(rows))
}
