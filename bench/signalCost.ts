// What do signals and probes take of a steered run's time, and which part of it? A whole run by the trainer's own
// clock (bench/steeredRun.ts), its seconds taken from the log: signals of steps before and after the rate is found,
// valley and line probes of the search and after it. On a machine that other work uses, sums of seconds are mostly
// the pauses it caused; so beside them stand sums of medians: every step counts as the median of the steps that
// measured the same, every probe as the median of its kind and windows.
// Threshold (fixed beforehand): at most 3 % together on runs of 4,500 steps on the native backend, search included, and 5 %
// on runs of fewer than 3,000.

import { mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { median } from 'simple-statistics'
import type { Observation } from '../protocol/vocabulary.ts'
import type { BackendName } from '../trainer/backends/backend.ts'
import type { ModelName } from '../trainer/models/models.ts'
import { optionOf } from './options.ts'
import { steeredRun } from './steeredRun.ts'

export type CostRow = {
  readonly backend: BackendName
  readonly model: ModelName
  readonly seed: number
  readonly budgetSteps: number
  /** Steps taken: a run that memorises ends before its budget. */
  readonly steps: number
  /** Steps before the large rate was found. */
  readonly searchSteps: number
  /** Of all time in steps and probes. */
  readonly signalShare: number
  readonly probeShare: number
  /** The same by sums of medians. */
  readonly typical: { readonly signalShare: number; readonly probeShare: number }
  readonly stepMs: number
  /** Signals' share of the time of the steps, in the search and after it. */
  readonly signals: { readonly search: number; readonly after: number }
  readonly probes: Readonly<
    Record<
      'searchValley' | 'valley' | 'line',
      { readonly count: number; readonly ms: number; readonly share: number }
    >
  >
  readonly testAccuracy: number
  readonly testLoss: number
  readonly load: number
}

type Stretch = { steps: number; stepSeconds: number; signalSeconds: number }

/** Seconds of steps and of their signals on both sides of the end of the search. */
function stepCosts(log: readonly Observation[], searchSteps: number): { search: Stretch; after: Stretch } {
  const search = { steps: 0, stepSeconds: 0, signalSeconds: 0 }
  const after = { ...search }
  for (const observation of log) {
    if (observation.kind !== 'samples') continue
    const { step, stepSeconds = [], signalSeconds = [] } = observation.columns
    step.forEach((at, row) => {
      const stretch = at < searchSteps ? search : after
      stretch.steps++
      stretch.stepSeconds += stepSeconds[row] ?? 0
      stretch.signalSeconds += signalSeconds[row] ?? 0
    })
  }
  return { search, after }
}

/** Σ over the groups of count × median, by the group's name. */
function sumOfMedians<Entry>(
  entries: readonly Entry[],
  groupOf: (entry: Entry) => string,
  secondsOf: (entry: Entry) => number,
): number {
  const groups = new Map<string, Entry[]>()
  for (const entry of entries) {
    const group = groups.get(groupOf(entry))
    if (group === undefined) groups.set(groupOf(entry), [entry])
    else group.push(entry)
  }
  return [...groups.values()].reduce((sum, group) => sum + group.length * median(group.map(secondsOf)), 0)
}

const measuredColumns = ['gradientNormSquared', 'microGradientNormSquared', 'updateNormSquared'] as const

/** Shares by sums of medians. */
function typicalShares(log: readonly Observation[]): { signalShare: number; probeShare: number } {
  const steps = log.flatMap((observation) => {
    if (observation.kind !== 'samples') return []
    const { columns } = observation
    return columns.step.map((_, row) => ({
      kind: measuredColumns.filter((name) => columns[name]?.[row] != null).join(),
      stepSeconds: columns.stepSeconds?.[row] ?? 0,
      signalSeconds: columns.signalSeconds?.[row] ?? 0,
    }))
  })
  const probes = log.flatMap((observation) => (observation.kind === 'probe' ? [observation.probe] : []))
  const step = sumOfMedians(
    steps,
    ({ kind }) => kind,
    ({ stepSeconds }) => stepSeconds,
  )
  const signal = sumOfMedians(
    steps,
    ({ kind }) => kind,
    ({ signalSeconds }) => signalSeconds,
  )
  const probe = sumOfMedians(
    probes,
    (one) => (one.kind === 'valley' ? `valley ${one.averaged.length}` : one.kind),
    ({ seconds }) => seconds,
  )
  return { signalShare: signal / (step + probe), probeShare: probe / (step + probe) }
}

export async function costRow(
  backend: BackendName,
  model: ModelName,
  { steps, seed }: { steps: number; seed: number },
): Promise<CostRow> {
  const folder = mkdtempSync(join(tmpdir(), 'twostep-bench-'))
  const job = { task: 'mnist', model, optimizer: 'momentum', seed, budgetSteps: steps, backend } as const
  const { summary, state, log } = await steeredRun(job, folder).finally(() =>
    rmSync(folder, { recursive: true, force: true }),
  )
  const searchSteps = state.phases.find(({ phase }) => phase === 'large')?.fromStep ?? 0
  const { search, after } = stepCosts(log, searchSteps)
  const probes = log.flatMap((observation) => (observation.kind === 'probe' ? [observation.probe] : []))
  const probeSeconds = probes.reduce((sum, probe) => sum + probe.seconds, 0)
  const time = search.stepSeconds + after.stepSeconds + probeSeconds
  const part = (isIn: (probe: (typeof probes)[number]) => boolean) => {
    const these = probes.filter(isIn)
    const seconds = these.reduce((sum, probe) => sum + probe.seconds, 0)
    return {
      count: these.length,
      ms: these.length === 0 ? 0 : 1_000 * median(these.map((probe) => probe.seconds)),
      share: seconds / time,
    }
  }
  return {
    backend,
    model,
    seed,
    budgetSteps: steps,
    steps: summary.steps,
    searchSteps,
    signalShare: summary.signalShare,
    probeShare: summary.probeShare,
    typical: typicalShares(log),
    stepMs: (1_000 * (search.stepSeconds + after.stepSeconds)) / (search.steps + after.steps),
    signals: {
      search: search.signalSeconds / search.stepSeconds,
      after: after.signalSeconds / after.stepSeconds,
    },
    probes: {
      searchValley: part(({ kind, step }) => kind === 'valley' && step <= searchSteps),
      valley: part(({ kind, step }) => kind === 'valley' && step > searchSteps),
      line: part(({ kind }) => kind === 'line'),
    },
    testAccuracy: summary.testAccuracy,
    testLoss: summary.testLoss,
    load: loadavg()[0]!,
  }
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`

export function costTable(rows: readonly CostRow[]): string {
  const lines = rows.map(
    ({ backend, model, seed, signalShare, probeShare, stepMs, signals, probes, ...row }) => {
      const parts = Object.values(probes).map(
        ({ count, ms, share }) => `${count} × ${ms.toFixed(1)} ms, ${percent(share)}`,
      )
      const cells = [
        `${backend} ${model} ${seed}`,
        `${row.steps}`,
        percent(signalShare),
        percent(probeShare),
        percent(signalShare + probeShare),
        percent(row.typical.signalShare),
        percent(row.typical.probeShare),
        percent(row.typical.signalShare + row.typical.probeShare),
        `${stepMs.toFixed(2)}`,
        percent(signals.search),
        percent(signals.after),
        ...parts,
        percent(row.testAccuracy),
        row.load.toFixed(1),
      ]
      return `| ${cells.join(' | ')} |`
    },
  )
  return [
    '| run | steps | signals | probes | both | by medians: signals | probes | both | ms a step | signals in the search | after it | probes of the search | valley | line | accuracy | load |',
    `|${' --- |'.repeat(16)}`,
    ...lines,
  ].join('\n')
}

/** @param args `--runs native/mlp,native/cnn,wasm/mlp`, `--steps N` (4500), `--seeds 1,2` (1), `--json`. */
export async function benchSignalCost(args: readonly string[]): Promise<void> {
  const steps = Number(optionOf(args, '--steps', '4500'))
  const rows: CostRow[] = []
  for (const run of optionOf(args, '--runs', 'native/mlp,native/cnn,wasm/mlp').split(','))
    for (const seed of optionOf(args, '--seeds', '1').split(',').map(Number)) {
      const [backend, model] = run.split('/') as [BackendName, ModelName]
      rows.push(await costRow(backend, model, { steps, seed }))
    }
  console.log(args.includes('--json') ? JSON.stringify({ rows }) : costTable(rows))
}
