// Makes the rows of the study: from the logs that a server has stored of steered PyTorch jobs, and from the traces of the
// built-in trainer, which are folded at a constant rate. Both go through `tune` as it is.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Decision, Observation } from '../../protocol/vocabulary.ts'
import { storedObservations } from '../../server/runs/fold.ts'
import { decodeObservation } from '../../server/runs/observationCodec.ts'
import { openSqliteStorage } from '../../server/storage/sqlite/sqliteStorage.ts'
import type { Storage } from '../../server/storage/storage.ts'
import { initialState, type TunerState, tune } from '../../tuner/index.ts'
import { judgementNow } from '../../tuner/phases/judgement.ts'
import { deviationsBelow } from '../../tuner/phases/marginalCost.ts'
import { endOf, originOf } from '../../tuner/plan/bounds.ts'
import { everything, replay } from '../decisions/replay.ts'
import { steeredRun } from '../steeredRun.ts'
import { benchTasks, jobOf } from '../tasks.ts'
import type { TraceRun } from '../traces/format.ts'
import { loadTraces, tracedTasks } from '../traces/store.ts'
import type { ForecastRow, ProbeRow, Verdict } from './rows.ts'

/** More runs than a study has. */
const runsMax = 2_000
const digits = 6
const short = (value: number): number => Number(value.toPrecision(digits))

/** The newest probe as the signals have it; null = none was folded since the state before. */
function probeOf(before: TunerState, { seen, course }: TunerState): ProbeRow | null {
  const { valley, probeLosses, averagedLosses } = seen.signals
  if (course.kind === 'search' || valley.points === before.seen.signals.valley.points) return null
  const [raw, averaged] = [probeLosses.at(-1), averagedLosses.at(-1)]
  if (raw === undefined || averaged === undefined || valley.points.length === 0) return null
  const phase = before.course.kind === 'anneal' ? 'anneal' : 'large'
  return {
    step: seen.step,
    runLength: short(seen.runLength),
    raw: short(raw),
    averaged: short(averaged),
    phase,
  }
}

/** Jobs of python/benchmarks/autopilot/development.py; all others judge. */
const developmentTasks: readonly string[] = [
  'friedman',
  'shells',
  'textures',
  'noisy-textures',
  'packages',
  'retold',
  'one-pass',
  'sums',
  'surfaces',
]
const setOf = (task: string): ForecastRow['set'] =>
  developmentTasks.includes(task) ? 'development' : 'judging'

/** Of the jobs in a server's database, those of one set. */
export async function steeredRows(file: string, set: ForecastRow['set']): Promise<ForecastRow[]> {
  const storage = openSqliteStorage({ file, readOnly: true })
  const { runs } = await storage.listRuns({ limit: runsMax, now: 0 })
  const rows: ForecastRow[] = []
  for (const { id, observationCount } of runs) {
    const observations = await logOf(storage, id, observationCount)
    const name = observations[0]?.kind === 'start' ? observations[0].options.name : id
    const task = name.replace(/-\d+$/, '')
    if (setOf(task) !== set) continue
    const row = steeredRow(observations, set, task)
    if (row?.steered == null) continue
    rows.push({ ...row, steered: { ...row.steered, promised: await formerPromise(storage, id) } })
  }
  await storage.close()
  return rows
}

/** What the run was promised as it is stored: by the version of the tuner that steered it. */
async function formerPromise(
  storage: Storage,
  id: string,
): Promise<NonNullable<ForecastRow['steered']>['promised']> {
  const [stored] = (await storage.decisions(id, { after: 0, limit: runsMax, kinds: ['finish'] })).slice(-1)
  return stored === undefined ? null : ((JSON.parse(stored.body) as Decision).promised ?? null)
}

async function logOf(storage: Storage, id: string, count: number): Promise<Observation[]> {
  const observations: Observation[] = []
  for await (const stored of storedObservations(storage, id, count))
    observations.push(decodeObservation(stored))
  return observations
}

/** Whole runs of the built-in trainer, one a task and seed, from the default rate. */
export async function builtInRows(): Promise<ForecastRow[]> {
  const rows: ForecastRow[] = []
  for (const task of benchTasks)
    for (const seed of task.seeds) {
      const folder = mkdtempSync(join(tmpdir(), 'twostep-forecasts-'))
      const job = jobOf(task, { seed, learningRate: task.defaultRate })
      const { log } = await steeredRun(job, folder).finally(() => rmSync(folder, { recursive: true }))
      const row = steeredRow(log, 'built-in', task.name)
      if (row !== null) rows.push({ ...row, run: `steered ${seed}` })
    }
  return rows
}

/** Null where the run did not end with a loss, or has no budget. */
function steeredRow(
  observations: readonly Observation[],
  set: ForecastRow['set'],
  task: string,
): ForecastRow | null {
  let state = initialState()
  const probes: ProbeRow[] = []
  const decisions: Decision[] = []
  for (const observation of observations) {
    const result = tune(state, observation)
    const probe = observation.kind === 'probe' ? probeOf(state, result.state) : null
    if (probe !== null) probes.push(probe)
    state = result.state
    decisions.push(...result.decisions.filter(({ kind }) => kind === 'switch' || kind === 'finish'))
  }
  const begun = decisions.findLast(({ kind }) => kind === 'switch')
  const ended = decisions.findLast(({ kind }) => kind === 'finish')
  const end = endOf(state)
  if (begun === undefined || ended?.reached == null || end === null) return null
  const { name, learningRate, budgetSteps } = state.options
  const { fromStep, toStep } = begun.reason.values
  return {
    set,
    task,
    run: `${name} at ${learningRate.initial} for ${budgetSteps}`,
    origin: originOf(state),
    end,
    probes,
    steered: {
      switchStep: fromStep!,
      toStep: toStep!,
      reason: begun.reason.key,
      promised: null,
      reached: ended.reached,
    },
    forked: null,
  }
}

/** A row for each run of the traces. */
export function tracedRows(): ForecastRow[] {
  return tracedTasks().flatMap((name) => {
    const { header, runs } = loadTraces(name)!
    return runs.filter(({ final }) => final !== null).map((run) => tracedRow(header.task, run))
  })
}

function tracedRow(task: Parameters<typeof replay>[0], run: TraceRun): ForecastRow {
  const probes: ProbeRow[] = []
  const verdicts: Verdict[] = []
  let before = initialState()
  replay(task, run, { ...everything, mode: 'held' }, (state) => {
    const probe = probeOf(before, state)
    if (probe !== null) probes.push(probe)
    const deviations = deviationsOf(state)
    if (deviations !== null) verdicts.push({ step: state.seen.step, deviations })
    before = state
  })
  return {
    set: 'built-in',
    task: task.name,
    run: `${run.seed} at ${run.rate}`,
    origin: 0,
    end: run.budgetSteps,
    probes,
    steered: null,
    forked: { ...forkedOf(run), verdicts: beforeCheckpoints(run, verdicts) },
  }
}

/** How far what annealing gains lies above what staying gains, in standard errors. */
function deviationsOf(state: TunerState): number | null {
  const { cost } = judgementNow(state)
  if (cost === undefined) return null
  const deviations = deviationsBelow(cost.staying, cost.annealing)
  return deviations === null ? null : short(deviations)
}

/** The last of them at or before each checkpoint, under the checkpoint's own step. */
const beforeCheckpoints = ({ checkpoints }: TraceRun, verdicts: readonly Verdict[]): Verdict[] =>
  checkpoints.flatMap(({ step }) => {
    const last = verdicts.findLast((verdict) => verdict.step <= step)
    return last === undefined ? [] : [{ step, deviations: last.deviations }]
  })

/**
 * Losses of the whole held-out set, in units of the examples that probes score: multiplied by the median ratio of the two
 * where both are known of the same weights.
 */
function forkedOf(run: TraceRun): Omit<NonNullable<ForecastRow['forked']>, 'verdicts'> {
  const ratios = run.checkpoints.flatMap(({ step, before }) => {
    const probe = run.probes.find((entry) => entry.kind === 'valley' && entry.step === step)
    return probe?.kind === 'valley' ? [probe.raw.loss / before.heldOut.loss] : []
  })
  const sorted = ratios.sort((a, b) => a - b)
  const ratio = sorted.length === 0 ? 1 : sorted[Math.floor(sorted.length / 2)]!
  const anneals = run.checkpoints.flatMap(({ step, anneals: of }) =>
    of
      .filter(({ name, heldOut }) => name === 'full' && Number.isFinite(heldOut.loss))
      .map(({ heldOut }) => ({ step, loss: short(ratio * heldOut.loss) })),
  )
  return { anneals, never: run.final === null ? null : short(ratio * run.final.heldOut.loss) }
}
