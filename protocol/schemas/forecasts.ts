// How true the promises of all runs were: what `GET /forecasts/calibration` answers.

import { z } from 'zod'
import { count, finite, type Parsed } from './values.ts'

const tallySchema = z.object({
  /** Promises whose outcome is known. */
  count,
  /** Of them, those whose outcome lies within the 95 % interval. */
  inside: count,
})

export const forecastCalibrationSchema = tallySchema
  .extend({
    /** Finished runs that were looked at, the newest ones. */
    runs: count,
    /** Outcomes below, and above, what was promised. */
    below: count,
    above: count,
    /** Median of the interval's width over the loss that was reached; null = nothing is known. */
    widthMedian: finite.nullable(),
    /** By that width: from `from` on, up to the next one's. */
    bins: z.array(tallySchema.extend({ from: finite })),
  })
  .meta({ id: 'ForecastCalibration' })
export type ForecastCalibration = Parsed<typeof forecastCalibrationSchema>
