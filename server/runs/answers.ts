// What a telemetry batch is answered, and the bounds of a run that a batch must not pass.

import { limits } from '../../protocol/schemas.ts'
import type { Action, Decision, Telemetry, TelemetryAnswer } from '../../protocol/vocabulary.ts'
import { ServerError } from '../errors.ts'
import type { RunRecord } from '../storage/storage.ts'
import type { ActiveRun } from './activeRuns.ts'

export function telemetryAnswer(
  actions: readonly Action[],
  { summary }: RunRecord,
  decisions: readonly Decision[],
  accepted: number,
  nextSequence: number,
): TelemetryAnswer {
  const { phase, regime, plan } = summary
  const decision = decisions.at(-1)
  const answer = { accepted, duplicate: false, nextSequence, phase, regime, plan, actions }
  return decision === undefined ? answer : { ...answer, decision }
}

/** @throws ServerError `too-many-metrics`. */
export function checkBounds(run: ActiveRun, telemetry: Telemetry): void {
  const metrics = Object.keys(telemetry.steps?.metrics ?? {})
  const fresh = metrics.filter((name) => !run.series.has(`metrics.${name}`))
  const count = run.series.metricCount() + fresh.length
  if (fresh.length > 0 && count > limits.metricsMax)
    throw new ServerError(
      'too-many-metrics',
      `steps.metrics would bring the run to ${count} own metrics, allowed are ${limits.metricsMax}; new here: ${fresh.slice(0, 5).join(', ')}`,
      { errors: [{ pointer: '/steps/metrics', detail: `at most ${limits.metricsMax} per run` }] },
    )
}
