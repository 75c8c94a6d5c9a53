// The tuner's tests fold batches in the order that its own client gives them; that must be the server's order.

import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Acknowledgement, Probe } from '../../protocol/vocabulary.ts'
import { entriesOf } from '../../tuner/testing/reportedBatch.ts'
import { observationsOf } from './observationsOf.ts'

const step = fc.nat(40)
const rows = fc.array(fc.record({ step, loss: fc.double({ noNaN: true }) }), { maxLength: 20 })
const probes = fc.array(
  step.map(
    (at): Probe => ({ kind: 'line', step: at, seconds: 0, criticalLearningRate: null, curvature: null }),
  ),
  { maxLength: 5 },
)
const acknowledgements = fc.array(
  step.map((at): Acknowledgement => ({ actionId: `a-${at}`, status: 'done', step: at, detail: '' })),
  { maxLength: 5 },
)

it("a reported job's batch becomes the same observations as on the server", () => {
  fc.assert(
    fc.property(rows, probes, acknowledgements, (list, probeList, acknowledgementList) => {
      const steps = { step: list.map((row) => row.step), loss: list.map((row) => row.loss) }
      const batch = {
        rows: list,
        probes: probeList,
        acknowledgements: acknowledgementList,
        planVersion: null,
      }
      const telemetry = { clientId: 'c', sequence: 1, steps, probes: probeList }
      expect(entriesOf(batch)).toEqual(
        observationsOf({ ...telemetry, acknowledgements: acknowledgementList }),
      )
    }),
  )
})
