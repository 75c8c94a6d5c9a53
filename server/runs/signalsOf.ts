// Which signals a query asks for. A name may hold a comma (a job's own metrics may be called anything), so a text is
// split at commas only where it is not itself the name of a signal.

import { sampleColumnNames, signalNames } from '../../protocol/vocabulary.ts'
import { signalNotFound } from './runErrors.ts'
import type { RunSeries } from './runSeries.ts'

/** Signals that any run may come to have; where there is nothing of them yet they are empty, not unknown. */
const commonNames: ReadonlySet<string> = new Set([...sampleColumnNames, ...signalNames])

/** Undefined = all. @throws ServerError `signal-not-found`. */
export function signalsOf(
  series: RunSeries,
  runId: string,
  given: string | readonly string[] | undefined,
): readonly string[] | undefined {
  if (given === undefined) return undefined
  const isKnown = (name: string) => commonNames.has(name) || series.has(name)
  const texts = typeof given === 'string' ? [given] : given
  const names = texts.flatMap((text) => (isKnown(text) ? [text] : text.split(',')))
  const wanted = [...new Set(names.filter((name) => name !== ''))]
  const unknown = wanted.find((name) => !isKnown(name))
  if (unknown !== undefined) throw signalNotFound(runId, unknown, series.names())
  return wanted
}
