// A chart of a report: drawn by the painter of the page, in colours that the report names, so that it follows the reader's
// theme and prints on white.

import { svgOf } from '../../charts/export/saveChart.ts'
import { colorNames, type Palette } from '../../charts/palette.ts'
import { linesOf } from '../../charts/runCharts.tsx'
import type { ChartSpec, RunView } from '../../charts/spec.ts'

const widthPx = 920

const named = Object.fromEntries(colorNames.map((name) => [name, `var(--${name})`]))
const palette = { ...named, font: 'Inter, system-ui, sans-serif' } as Palette

export function drawing(spec: ChartSpec, view: RunView): string {
  const { from, to, stretches, gaps, run } = view
  const frame = {
    widthPx,
    from,
    to,
    stretches,
    gaps,
    lines: linesOf(view, null),
    zoomed: false,
    chosenStep: null,
    nowStep: run.step,
    silent: false,
    narrow: false,
  }
  return svgOf({ spec, frame, runId: run.id }, palette)
}
