// What must hold of a run when everything has come to rest: nothing accepted is lost, doubled or altered; decisions are those
// that were told, and those that the log gives; and whoever followed the plans ends annealed.

import { evaluatePlan } from '../../protocol/plan.ts'
import { replayRun } from '../../server/cli/replay.ts'
import { silentLog } from '../../server/log.ts'
import { createMetrics } from '../../server/metrics/metrics.ts'
import { storedObservations } from '../../server/runs/fold.ts'
import { decodeObservation } from '../../server/runs/observationCodec.ts'
import { realTuner } from '../../server/runs/realTuner.ts'
import { Runs } from '../../server/runs/runs.ts'
import { SeriesReader, wholeRange } from '../../server/runs/seriesReader.ts'
import type { Storage } from '../../server/storage/storage.ts'
import { noListeners } from '../../server/webhooks/webhooks.ts'
import type { SimulatedJob } from './job.ts'

/** As reported: 9 digits (trainer/reporting/batch.ts). */
const wire = (value: number) => (Number.isFinite(value) ? Number(value.toPrecision(9)) : value)

/** Of the highest rate; a run of few steps has its last one farther from the end. */
const annealedShare = 0.05

/** @param isHandled whether a person had a hand in it: then a rate of theirs may be its last */
export async function checkRun(
  storage: Storage,
  job: SimulatedJob,
  told: ReadonlyMap<number, string>,
  isHandled: boolean,
  broken: (sentence: string) => void,
): Promise<void> {
  const { runId } = job
  const record = await storage.run(runId)
  if (record === undefined) {
    broken(`${runId} is not there`)
    return
  }
  await checkSteps(storage, job, record.observationCount, broken)
  const replay = await replayRun(storage, realTuner, runId)
  if (!replay.identical)
    broken(`the log of ${runId} gives another decision than is stored: ${JSON.stringify(replay.difference)}`)
  for (const [number, text] of told) {
    const stored = await storage.decision(runId, number)
    if (stored === undefined) broken(`decision ${number} of ${runId} was told, and is not there`)
    else if (JSON.stringify(JSON.parse(text)) !== JSON.stringify(JSON.parse(stored.body)))
      broken(`decision ${number} of ${runId} was told as ${text}, and is ${stored.body}`)
  }
  checkPlans(job, record.summary.options.budgetSteps, isHandled, broken)
  await checkChart(storage, job, broken)
}

/** The chart of the losses, as a page would be shown it, has each of them once. */
async function checkChart(
  storage: Storage,
  { runId, losses, losable }: SimulatedJob,
  broken: (sentence: string) => void,
): Promise<void> {
  const clock = { now: () => 0, monotonic: () => 0, after: () => () => {} }
  const runs = new Runs({
    ...{ storage, clock, tuner: realTuner, log: silentLog, webhooks: noListeners },
    metrics: createMetrics(false),
    newRunId: () => runId,
  })
  const reader = new SeriesReader({ storage, runs, clock })
  const { series } = await reader.live(runId, { ...wholeRange, points: 4 }, () => ['loss'])
  const { count = [], nonFinite = [] } = series.signals.loss ?? {}
  const shown = [...count, ...nonFinite].reduce((sum, value) => sum + value, 0)
  const least = [...losses.keys()].filter((at) => !losable.has(at)).length
  if (shown < least || shown > losses.size)
    broken(`the chart of ${runId} holds ${shown} losses, and ${least} to ${losses.size} were reported`)
}

async function checkSteps(
  storage: Storage,
  job: SimulatedJob,
  count: number,
  broken: (sentence: string) => void,
): Promise<void> {
  const { runId, losses, losable } = job
  const stored = new Set<number>()
  const probes = new Set<string>()
  let last = -1
  for await (const observation of storedObservations(storage, runId, count)) {
    const decoded = decodeObservation(observation)
    if (decoded.kind === 'probe') {
      const text = JSON.stringify(decoded.probe)
      if (probes.has(text)) broken(`${runId} has a probe twice: ${text}`)
      probes.add(text)
    }
    if (decoded.kind !== 'samples') continue
    const { step, loss = [] } = decoded.columns
    for (const [i, at] of step.entries()) {
      if (stored.has(at)) broken(`${runId} has step ${at} twice`)
      if (at <= last) broken(`${runId} has step ${at} after ${last}`)
      last = at
      stored.add(at)
      const taken = losses.get(at)
      if (taken === undefined) broken(`${runId} has step ${at}, which was never taken`)
      else if (!Object.is(wire(taken), loss[i]))
        broken(`${runId} has loss ${loss[i]} at step ${at}, and ${taken} was reported`)
    }
  }
  for (const at of losses.keys())
    if (!stored.has(at) && !losable.has(at)) broken(`${runId} has lost step ${at}`)
  for (const at of job.acknowledged)
    if (!stored.has(at)) broken(`${runId} has lost step ${at}, which was acknowledged`)
}

function checkPlans(
  job: SimulatedJob,
  budgetSteps: number | null,
  isHandled: boolean,
  broken: (sentence: string) => void,
): void {
  const { runId, plans, rates } = job
  if (budgetSteps === null || isHandled || !job.isSteered) return
  for (const plan of plans) {
    const after = evaluatePlan(plan, budgetSteps).learningRate
    if (after !== 0) broken(`${runId}: plan ${plan.version} has rate ${after} after its budget`)
  }
  // After a sign of divergence there may be too few steps left.
  if (rates.length < budgetSteps / 4 || job.kills > 0 || job.trips > 0 || job.isBroken) return
  const highest = rates.reduce((a, b) => Math.max(a, b), 0)
  const lastRate = rates.at(-1) ?? 0
  if (lastRate > highest * Math.max(annealedShare, 8 / budgetSteps))
    broken(
      `${runId} ends after ${rates.length} steps of ${budgetSteps} at rate ${lastRate}, and its highest was ${highest}`,
    )
}
