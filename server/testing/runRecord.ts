// A run's record for tests of the storage, as a small tuner makes it.

import { firstRecord } from '../runs/runRecord.ts'
import type { RunRecord } from '../storage/storage.ts'
import { createFakeTuner } from './fakeTuner.ts'

const tuner = createFakeTuner()

export function runRecord(id: string, more: Partial<RunRecord> = {}): RunRecord {
  const record = firstRecord(id, tuner, tuner.initialState(), 0, 1_000)
  return { ...record, name: id, ...more }
}
