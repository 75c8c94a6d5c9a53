// What the server counts and times of itself, for Prometheus. Labels are of closed lists (operations, codes, states), so that
// the number of series is bounded whatever comes: never an id, a name or an address of a run.

import { statSync } from 'node:fs'
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { ProblemCode } from '../errors.ts'
import type { DamagedPart } from '../storage/damage.ts'

/** Seconds: from what a read takes to what a person leaves for. */
const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** What is looked at when somebody asks. */
export type Watched = {
  readonly sockets: () => number
  /** Requests that wait in the lines of runs, those at work among them. */
  readonly waiting: () => number
  /** Runs in memory, by phase. */
  readonly phases: () => ReadonlyMap<string, number>
  /** All runs, by state. */
  readonly states: () => Promise<readonly { readonly name: string; readonly count: number }[]>
  readonly databaseFile: string | null
}

export type Metrics = {
  /** An HTTP request that was answered. `operation` is a name of the contract, or `page`. */
  answered(operation: string, status: number, seconds: number): void
  refused(code: ProblemCode): void
  /** A batch of telemetry that was taken in. */
  ingested(steps: number, isDuplicate: boolean, seconds: number): void
  folded(observations: number, seconds: number): void
  stored(seconds: number): void
  /** A try of a webhook delivery. */
  delivered(outcome: 'delivered' | 'retried' | 'failed'): void
  /** Something damaged that was met for the first time. */
  damaged(part: DamagedPart): void
  watch(watched: Watched): void
  /** In the text format of Prometheus. */
  text(): Promise<string>
  readonly contentType: string
}

/** @param ofProcess whether the process itself is measured, too: its memory, its event loop */
export function createMetrics(ofProcess: boolean): Metrics {
  const registry = new Registry()
  const registers = [registry]
  if (ofProcess) collectDefaultMetrics({ register: registry })
  const seconds = (name: string, help: string) =>
    new Histogram({ name: `twostep_${name}_duration_seconds`, help, buckets: secondsBuckets, registers })
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Counter({ name: `twostep_${name}_total`, help, labelNames, registers })
  const requests = new Histogram({
    name: 'twostep_http_request_duration_seconds',
    help: 'Requests over HTTP, by operation of the contract and class of status',
    labelNames: ['operation', 'status'],
    buckets: secondsBuckets,
    registers,
  })
  const ingest = seconds('ingest', 'A telemetry batch, from its parsed body to its durable answer')
  const folds = seconds('fold', 'What a batch makes of a run, computed')
  const writes = seconds('store', 'The transaction that stores a batch')
  const batches = counter('ingest_batches', 'Telemetry batches that were taken in', ['result'])
  const steps = counter('ingest_steps', 'Steps that were taken in')
  const observations = counter('fold_observations', 'Observations that were folded')
  const refusals = counter('refusals', 'Requests and live connections that were refused, by code', ['code'])
  const deliveries = counter('webhook_deliveries', 'Tries of webhook deliveries, by what came of them', [
    'outcome',
  ])
  const damages = counter('damage', 'Damaged pieces that were met, by what they are part of', ['part'])
  return {
    answered: (operation, status, took) =>
      requests.observe({ operation, status: `${Math.floor(status / 100)}xx` }, took),
    refused: (code) => refusals.inc({ code }),
    ingested: (count, isDuplicate, took) => {
      batches.inc({ result: isDuplicate ? 'duplicate' : 'stored' })
      if (!isDuplicate) steps.inc(count)
      ingest.observe(took)
    },
    folded: (count, took) => {
      observations.inc(count)
      folds.observe(took)
    },
    stored: (took) => writes.observe(took),
    delivered: (outcome) => deliveries.inc({ outcome }),
    damaged: (part) => damages.inc({ part }),
    watch: (watched) => addGauges(registers, watched),
    text: () => registry.metrics(),
    contentType: registry.contentType,
  }
}

function addGauges(registers: Registry[], watched: Watched): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `twostep_${name}`,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  gauge('live_sockets', 'Live connections', watched.sockets)
  gauge('queue_length', 'Requests in the lines of runs, those at work among them', watched.waiting)
  new Gauge({
    name: 'twostep_active_runs',
    help: 'Runs in memory, by phase',
    labelNames: ['phase'],
    registers,
    collect() {
      this.reset()
      for (const [phase, count] of watched.phases()) this.set({ phase }, count)
    },
  })
  new Gauge({
    name: 'twostep_runs',
    help: 'Runs that are stored, by state',
    labelNames: ['state'],
    registers,
    async collect() {
      const states = await watched.states()
      this.reset()
      for (const { name, count } of states) this.set({ state: name }, count)
    },
  })
  new Gauge({
    name: 'twostep_storage_bytes',
    help: 'Size of the database, and of its log of what is not in it yet',
    labelNames: ['file'],
    registers,
    collect() {
      if (watched.databaseFile === null) return
      this.set({ file: 'database' }, sizeOf(watched.databaseFile))
      this.set({ file: 'wal' }, sizeOf(`${watched.databaseFile}-wal`))
    },
  })
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
