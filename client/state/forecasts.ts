// How true the promises of finished runs were: asked for when the list of runs is opened, and again when another one has ended.

import { effect, signal } from '@preact/signals'
import type { ForecastCalibration } from '../../protocol/vocabulary.ts'
import { fetchCalibration } from '../connection/api.ts'
import { runList } from './runList.ts'

/** Null = not known yet. The list stands without it, so a failure says nothing: the next end asks again. */
export const calibration = signal<ForecastCalibration | null>(null)

/** Follows the ends of runs until the returned function is called. */
export function followCalibration(): () => void {
  let known = -1
  return effect(() => {
    const { runs, loaded } = runList.value
    const ended = runs.filter(({ forecast }) => forecast?.reached != null).length
    if (!loaded || ended === known) return
    known = ended
    if (ended > 0) void load()
  })
}

async function load(): Promise<void> {
  const answer = await fetchCalibration()
  if (answer.ok) calibration.value = answer.value
}
