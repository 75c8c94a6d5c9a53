// Which signals a query asks for. A name may hold a comma (a job's own metrics may be called anything), so a text is
// split at commas only where it is not itself the name of a signal.

import { sampleColumnNames, signalNames } from '../../protocol/vocabulary.ts'
import { signalNotFound } from './runErrors.ts'
import type { RunSeries } from './runSeries.ts'

/** Signals that any run may come to have; where there is nothing of them yet they are empty, not unknown. */
const commonNames: ReadonlySet<string> = new Set([...sampleColumnNames, ...signalNames])

/** `wanted` undefined = all; `unknown` are left out. @throws ServerError `signal-not-found` if the run has none of them. */
export function signalsOf(
  series: RunSeries,
  runId: string,
  given: string | readonly string[] | undefined,
): { readonly wanted: readonly string[] | undefined; readonly unknown: readonly string[] } {
  if (given === undefined) return { wanted: undefined, unknown: [] }
  const isKnown = (name: string) => commonNames.has(name) || series.has(name)
  const texts = typeof given === 'string' ? [given] : given
  const names = texts.flatMap((text) => (isKnown(text) ? [text] : text.split(',')))
  const asked = [...new Set(names.filter((name) => name !== ''))]
  const wanted = asked.filter(isKnown)
  const unknown = asked.filter((name) => !isKnown(name))
  if (wanted.length === 0 && unknown.length > 0) throw signalNotFound(runId, unknown[0]!, series.names())
  return { wanted, unknown }
}
