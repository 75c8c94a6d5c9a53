// A database as version 0.1.0 left it: schema 1, one run with records of the old shape, folded by another tuner.

import { loadDriver } from '../storage/sqlite/driver.ts'
import { defineFunctions } from '../storage/sqlite/openDatabase.ts'
import { applicationId, migrations } from '../storage/sqlite/schema.ts'

const plan = {
  version: 1,
  segments: [{ fromStep: 0, toStep: 1_000, shape: 'constant', from: 0.1, to: 0.1 }],
}
const regime = { name: 'unknown', index: null, low: null, high: null }
const options = {
  name: 'old',
  project: 'default',
  tags: [],
  framework: 'unknown',
  optimizer: { name: 'AdamW' },
  budgetSteps: 1_000,
  mode: 'auto',
  capabilities: ['checkpoint', 'fork'],
  learningRate: { initial: 0.1, min: null, max: null },
  settings: {},
}
const summary = {
  id: 'old',
  options,
  state: 'running',
  mode: 'auto',
  phase: 'large',
  regime,
  step: 3,
  budgetSteps: 1_000,
  headline: 'As 0.1.0 said it.',
  loss: 2,
  learningRate: 0.1,
  largeLearningRate: null,
  switchStep: null,
  plan,
  phases: [],
  override: null,
  decisionCount: 1,
  awaitingDecision: null,
  signalShare: null,
  probeShare: null,
  stepsPerSecond: null,
  spark: [2],
  badSamples: { nonFinite: 0, outOfOrder: 0, repeated: 0 },
  createdAt: '2025-01-01T00:00:00.000Z',
  lastSeenAt: '2025-01-01T00:00:00.000Z',
}
const decision = {
  number: 1,
  kind: 'start',
  step: 0,
  test: { left: { name: 'what staying still gains' }, consecutive: '0 of 3' },
  alternatives: [{ name: 'never anneal', finalLoss: 1 }],
}
const samples = { columns: { step: [0, 1, 2], loss: [3, 'NaN', 2] } }
const fork = {
  probe: { kind: 'fork', step: 3, seconds: 1, learningRate: 0.1, stepCount: 2, raw: { loss: 2 } },
}
const answer = {
  accepted: 3,
  duplicate: false,
  nextSequence: 2,
  phase: 'large',
  regime,
  plan,
  actions: [],
  decision,
}

/**
 * Writes the file. Its run `old` has 3 steps, a batch of client `c`, and decisions of tuner "0".
 * @param schema to which a version between that one and this has brought it
 */
export function writeOldDatabase(file: string, schema = 1): void {
  const { DatabaseSync } = loadDriver()
  const database = new DatabaseSync(file)
  database.exec(`${migrations[0]}; PRAGMA user_version = 1; PRAGMA application_id = ${applicationId}`)
  const insert = (table: string, ...values: (string | number | null)[]) =>
    database.prepare(`INSERT INTO ${table} VALUES (${values.map(() => '?').join(', ')})`).run(...values)
  const json = JSON.stringify
  insert('runs', 1, 'old', 'old', 'default', '[]', 'running', 0, 0, null, null, null, 3, 1, json(summary))
  insert('observations', 1, 1, 0, 'start', null, null, json({ runId: 'old', options }))
  insert('observations', 1, 2, 0, 'samples', 0, 2, json(samples))
  insert('observations', 1, 3, 0, 'probe', null, null, json(fork))
  insert('decisions', 1, 1, 'start', 0, json(decision))
  insert('clients', 1, 'c', 1, json(answer))
  insert('snapshots', 1, 3, '0', '{}', '{"from":0,"to":2,"newest":{}}')
  defineFunctions(database)
  for (let from = 1; from < schema; from++)
    database.exec(`${migrations[from]}; PRAGMA user_version = ${from + 1}`)
  database.close()
}
