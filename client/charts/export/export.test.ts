// What leaves the page: the table in full, the drawing as well-formed SVG.

import { expect, test } from 'vitest'
import { syntheticRun } from '../../gallery/syntheticRun.ts'
import { lossChart } from '../lossChart.ts'
import { viewOf } from '../view.ts'
import { csvOf } from './csv.ts'
import { fileName } from './saveChart.ts'
import { SvgContext, svgPaper } from './svgPaper.ts'

test('a table has a row for every bucket, numbers in full, and nothing where there is no value', () => {
  const source = syntheticRun({ id: 'a', step: 600, budgetSteps: 600 })
  const view = viewOf({ ...source, zoom: null, lossFit: 'fit' })
  const rows = csvOf(lossChart(view)).split('\r\n')
  expect(rows[0]).toBe(
    'step,"raw, last",smoothed,"averaged weights, held-out",final loss expected,95 % from,95 % to',
  )
  expect(rows).toHaveLength(view.series.signals.loss!.step.length + 2)
  expect(rows[1]!.split(',')[3]).toBe('')
  expect(Number(rows[1]!.split(',')[1])).toBe(view.series.signals.loss!.last[0])
})

test('a title that a spreadsheet would run is a text there', () => {
  const columns = [{ title: '=1+1', at: () => '', value: () => -3 }]
  expect(csvOf({ columns, fileSteps: [7] })).toBe("step,'=1+1\r\n7,-3\r\n")
})

test('a file is named after run, chart and steps, in letters that every system takes', () => {
  const spec = { id: 'signal-metrics.a/b', heightPx: 1 } as never
  const frame = { zoomed: true, from: 10, to: 20.4 } as never
  expect(fileName({ spec, frame, runId: 'run 1' }, 'svg')).toBe('run-1.signal-metrics.a-b.10-20.svg')
})

test('what is drawn becomes elements, with clip, transform, dash and opacity', () => {
  const drawing = new SvgContext((text) => text.length * 6, 'c')
  const { context, path } = svgPaper(drawing)
  context.save()
  context.translate(10, 0)
  context.beginPath()
  context.rect(0, 0, 50, 40)
  context.clip()
  context.globalAlpha = 0.5
  context.strokeStyle = 'rgb(1 2 3)'
  context.setLineDash([3, 2])
  const line = path()
  line.moveTo(1, 2)
  line.lineTo(3.456, 4)
  context.stroke(line)
  context.restore()
  context.font = '550 11px "Inter", sans-serif'
  context.fillText('a < b', 5, 6)
  expect(context.measureText('abc').width).toBe(18)
  const svg = drawing.toSvg(100, 50, '')
  expect(svg).toContain(
    '<clipPath id="c0"><path d="M0 0h50v40h-50Z" transform="translate(10 0)"/></clipPath>',
  )
  expect(svg).toContain(
    '<g opacity="0.5" clip-path="url(#c0)"><path d="M1 2L3.46 4" fill="none" stroke="rgb(1 2 3)" stroke-width="1" stroke-dasharray="3 2" transform="translate(10 0)"/></g>',
  )
  expect(svg).toContain('font-family="&quot;Inter&quot;, sans-serif" font-size="11" font-weight="550"')
  expect(svg).toContain('>a &lt; b</text>')
})
