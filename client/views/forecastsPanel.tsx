// How true the promises of finished runs were: one line, and a bar for each width that their intervals had. All that the bars
// show stands in words beside them.

import { formatPercent, formatStep } from '../../protocol/numbers.ts'
import type { ForecastCalibration } from '../../protocol/vocabulary.ts'

/** What is said of an interval of 95 %. */
const statedShare = 0.95

export function ForecastsPanel(props: { calibration: ForecastCalibration }) {
  const { calibration } = props
  if (calibration.count === 0) return null
  return (
    <section class="card forecasts" aria-labelledby="forecasts-title">
      <h2 id="forecasts-title">Forecasts kept</h2>
      <p>{calibrationWords(calibration)}</p>
      <Widths calibration={calibration} />
    </section>
  )
}

export function calibrationWords({ count, inside, below, above, widthMedian }: ForecastCalibration): string {
  const share = formatPercent(inside / count)
  const came =
    count === 1
      ? `One final loss was promised, and ${inside === 1 ? 'came true' : `was missed: the run ended ${above === 1 ? 'above' : 'below'} its interval`}`
      : `Of ${formatStep(count)} final losses that were promised, ${formatStep(inside)} came true (${share}; 95 % was said)`
  const missed =
    count === 1 || below + above === 0
      ? ''
      : `; ${formatStep(below)} ended below what was promised and ${formatStep(above)} above`
  const width =
    widthMedian === null
      ? ''
      : ` Half of the intervals span ${formatPercent(widthMedian)} of the loss or less.`
  return `${came}${missed}.${width}`
}

/** The bounds of a bin in words. */
function binWords(bins: ForecastCalibration['bins'], i: number): string {
  const [from, to] = [bins[i]!.from, bins[i + 1]?.from]
  if (to === undefined) return `over ${formatPercent(from)}`
  return from === 0 ? `up to ${formatPercent(to)}` : `${formatPercent(from)} to ${formatPercent(to)}`
}

function Widths({ calibration: { bins } }: { calibration: ForecastCalibration }) {
  return (
    <table class="widths">
      <caption class="visually-hidden">Promises that came true, by the width of their interval</caption>
      <thead>
        <tr>
          <th scope="col" class="w-bin">
            Width, of the loss
          </th>
          <th scope="col" class="w-share">
            <span class="visually-hidden">Share that came true</span>
          </th>
          <th scope="col" class="w-count">
            Came true
          </th>
        </tr>
      </thead>
      <tbody>
        {bins.map(({ from, count, inside }, i) => (
          <tr key={from}>
            <th scope="row" class="w-bin">
              {binWords(bins, i)}
            </th>
            <td class="w-share">
              <ShareBar share={count === 0 ? null : inside / count} />
            </td>
            <td class="w-count">
              {count === 0 ? 'none yet' : `${formatStep(inside)} of ${formatStep(count)}`}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

/** A share as a bar, with a mark at what was said. */
function ShareBar({ share }: { share: number | null }) {
  const stated = `${100 * statedShare}%`
  return (
    <svg class="share-bar" width="100%" height="14" aria-hidden="true">
      <rect class="track" width="100%" y="2" height="10" rx="3" />
      {share !== null && <rect class="fill-large" width={`${100 * share}%`} y="2" height="10" rx="3" />}
      <line class="stated" x1={stated} x2={stated} y1="0" y2="14" />
    </svg>
  )
}
