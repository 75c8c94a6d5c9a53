// The steps under all charts: both ends in words, round steps between them as far as there is room.

import { formatStep } from '../../protocol/numbers.ts'
import { guttersOf, narrowPx } from './ribbon.tsx'
import { niceValues } from './scale.ts'

/** Width of a character of the step axis, and the least gap between two of its labels, in px. */
const labelCharPx = 6.8
const labelGapPx = 4

export function StepAxis(props: { from: number; to: number; widthPx: number }) {
  const { from, to, widthPx } = props
  const { left, right } = guttersOf(widthPx)
  const x = (step: number) => left + ((widthPx - left - right) * (step - from)) / (to - from)
  const first = `step ${formatStep(from)}`
  const room = (text: string) => text.length * labelCharPx
  const inner = niceValues(from, to, widthPx < narrowPx ? 4 : 8).filter((step) => {
    const half = room(formatStep(step)) / 2 + labelGapPx
    return x(step) - half > left + room(first) && x(step) + half < x(to) - room(formatStep(to))
  })
  const steps = [from, ...inner, to]
  return (
    <svg class="step-axis" width={widthPx} height="24" aria-hidden="true">
      {steps.map((step) => (
        <g key={step}>
          <path d={`M${x(step)} 0v4`} />
          <text x={x(step)} y="16" text-anchor={step === to ? 'end' : step === from ? 'start' : 'middle'}>
            {step === from ? first : formatStep(step)}
          </text>
        </g>
      ))}
    </svg>
  )
}
