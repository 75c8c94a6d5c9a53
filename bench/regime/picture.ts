// The picture of the regime benchmark: reliability of the index on tasks that it was not fitted on.

import { colors, type Panel, picture } from '../paper/panel.ts'
import type { ReliabilityBin } from './roc.ts'

const tenths = [0, 0.2, 0.4, 0.6, 0.8, 1]
const unit = { scale: 'linear', from: 0, to: 1, ticks: tenths } as const

export function reliabilityPicture(bins: readonly ReliabilityBin[]): string {
  const panel: Panel = {
    title: 'Reliability, tasks left out of the fit (dashed: perfect)',
    x: { label: 'regime index, mean of a bin', ...unit },
    y: { label: 'share of large-step checkpoints', ...unit },
    series: [
      {
        points: [
          { x: 0, y: 0 },
          { x: 1, y: 1 },
        ],
        color: colors.faint,
        dash: '4 4',
      },
      {
        points: bins.map(({ meanIndex, shareLarge, low, high }) => ({
          x: meanIndex,
          y: shareLarge,
          low,
          high,
        })),
        color: colors.large,
        hasMarks: true,
        label: 'the index',
      },
    ],
  }
  const told = bins.map(
    ({ points, meanIndex, shareLarge }) =>
      `index ${meanIndex.toFixed(2)}: ${(100 * shareLarge).toFixed(0)} % of ${points}`,
  )
  return picture([panel], `Share of large-step checkpoints by regime index: ${told.join('; ')}`)
}
