// An observation of the log for tests of the storage: samples of one step, which the storage does not look into.

import type { StoredObservation } from '../storage/storage.ts'

export const storedObservation = (
  number: number,
  more: Partial<StoredObservation> = {},
): StoredObservation => ({
  ...{ number, receivedAt: 0, kind: 'samples', body: '{}', columns: null, fromStep: 0, toStep: 0 },
  ...more,
})
