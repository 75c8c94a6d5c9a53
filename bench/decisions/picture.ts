// One picture of the decisions: for each task the test loss over the time of the switch, annealed to the end of the
// budget and finished early, with the seeds' range as a band; a mark for what each row chose; and at the right edge
// where whole runs ended, search included. Lower is better. Plain SVG, light, readable in print.

import type { Marked, Results } from './results.ts'
import { type Choice, meanOf, type RateRuns, scoreOf } from './truth.ts'

const panel = { width: 580, height: 300, left: 58, right: 212, top: 34, bottom: 40 } as const
const columns = 2
const headHeight = 116
const ink = '#14181f'
const grey = '#5e6876'
const blue = '#2559dc'
const orange = '#b24a0f'

type MarkStyle = {
  readonly row: string
  readonly label: string
  readonly color: string
  readonly shape: string
}
/** Rows that are marked, in the order of the legend; a row that is absent from the results is left out. */
const markStyles: readonly MarkStyle[] = [
  { row: 'ours', label: 'ours', color: blue, shape: 'circle' },
  {
    row: 'ours, factors fitted on the other tasks',
    label: 'ours, fitted on the other tasks',
    color: blue,
    shape: 'ring',
  },
  { row: 'ours, without gradient noise', label: 'without gradient noise', color: '#00705a', shape: 'up' },
  { row: 'ours, without held-out data', label: 'without held-out data', color: '#531c5c', shape: 'down' },
  { row: 'fixed 45 % anneal', label: 'fixed 45 %', color: grey, shape: 'diamond' },
  { row: 'ReduceLROnPlateau, as a switch', label: 'plateau as a switch', color: '#8f0f2c', shape: 'square' },
]
/** Closed-loop rows named at the right edge. */
const endLabels: Readonly<Record<string, { label: string; color: string }>> = {
  ours: { label: 'ours', color: blue },
  'ours, no rate given': { label: 'ours, no rate given', color: blue },
  'linear from the start': { label: 'linear', color: grey },
  'cosine from the start': { label: 'cosine', color: grey },
  'ReduceLROnPlateau, best kept': { label: 'plateau + best', color: '#8f0f2c' },
  'ReduceLROnPlateau, best kept, rate / 10': { label: 'plateau + best, a tenth', color: '#8f0f2c' },
}

type Scale = {
  x(share: number): number
  y(loss: number): number
  readonly low: number
  readonly high: number
}
type TaskResult = Results['tasks'][number]

const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;')
const fixed = (value: number): string => value.toFixed(1)

function text(
  x: number,
  y: number,
  content: string,
  options: { color?: string; size?: number; anchor?: string; weight?: number } = {},
): string {
  const { color = ink, size = 12, anchor = 'start', weight = 400 } = options
  return `<text x="${fixed(x)}" y="${fixed(y)}" fill="${color}" font-size="${size}" text-anchor="${anchor}" font-weight="${weight}">${escaped(content)}</text>`
}

function symbol(shape: string, x: number, y: number, color: string): string {
  const place = `transform="translate(${fixed(x)} ${fixed(y)})" stroke="#fff" stroke-width="1" fill="${color}"`
  if (shape === 'circle') return `<circle r="6" ${place}/>`
  if (shape === 'ring')
    return `<circle r="8.5" transform="translate(${fixed(x)} ${fixed(y)})" fill="none" stroke="${color}" stroke-width="2"/>`
  const paths: Readonly<Record<string, string>> = {
    up: 'M0 -6.5L6 4.5H-6Z',
    down: 'M0 6.5L6 -4.5H-6Z',
    diamond: 'M0 -6L6 0L0 6L-6 0Z',
    square: 'M-5 -5H5V5H-5Z',
  }
  return `<path d="${paths[shape]}" ${place}/>`
}

type Curve = { readonly share: number; readonly mean: number; readonly min: number; readonly max: number }

/** Test loss over switch time for one kind of anneal. */
function curveOf({ runs }: RateRuns, name: 'full' | 'half'): Curve[] {
  const longest = runs.reduce((a, b) => (b.checkpoints.length > a.checkpoints.length ? b : a))
  return longest.checkpoints.flatMap(({ share, step, anneals }): Curve[] => {
    const toStep = anneals.find((anneal) => anneal.name === name)?.toStep
    if (toStep === undefined) return []
    const losses = runs.map((run) => scoreOf(run, { switchStep: step, finishStep: toStep }).loss)
    return [{ share, mean: meanOf(losses), min: Math.min(...losses), max: Math.max(...losses) }]
  })
}

type Placed = { readonly share: number; readonly loss: number; readonly style: MarkStyle }

function placedMarks(results: Results, { task }: TaskResult, runs: RateRuns): Placed[] {
  return markStyles.flatMap((style): Placed[] => {
    const mark = results.marks.find(
      (entry: Marked) => entry.row === style.row && entry.task === task.name && entry.rate === runs.rate,
    )
    if (mark === undefined || mark.choices.length !== runs.runs.length) return []
    const shareOf = (choice: Choice) => (choice === 'never' ? 1 : choice.switchStep / task.budgetSteps)
    return [
      {
        share: meanOf(mark.choices.map(shareOf)),
        loss: meanOf(runs.runs.map((run, index) => scoreOf(run, mark.choices[index]!).loss)),
        style,
      },
    ]
  })
}

/** Marks in the order of the legend, moved aside where one would cover another; a thin line then shows the place. */
function markLines(marks: readonly Placed[], { x, y }: Scale): string[] {
  const taken: { x: number; y: number }[] = []
  return marks.flatMap(({ share, loss, style }) => {
    const [atX, atY] = [x(share), y(loss)]
    const isFree = (shift: number) =>
      taken.every((other) => Math.hypot(other.x - atX, other.y - atY + shift) > 14)
    const shift = style.shape === 'ring' ? 0 : ([0, 16, -16, 32, -32, 48, -48].find(isFree) ?? 0)
    if (style.shape !== 'ring') taken.push({ x: atX, y: atY - shift })
    const stem =
      shift === 0 ? [] : [`<path d="M${fixed(atX)} ${fixed(atY)}v${-shift}" stroke="${style.color}"/>`]
    return [...stem, symbol(style.shape, atX, atY - shift, style.color)]
  })
}

type EndMark = { readonly loss: number; readonly label: string; readonly color: string }

function endMarks(results: Results, { task, oracle }: TaskResult): EndMark[] {
  const oracleLoss = meanOf(oracle.scores.map(({ loss }) => loss))
  return results.rows.flatMap((row): EndMark[] => {
    const style = row.part === 'end to end' ? endLabels[row.name] : undefined
    const regret = row.regret.tasks.find((entry) => entry.task === task.name)
    return style === undefined || regret === undefined ? [] : [{ ...style, loss: oracleLoss + regret.loss }]
  })
}

function scaleFor(values: readonly number[]): Scale {
  const [least, most] = [Math.min(...values), Math.max(...values)]
  const margin = 0.06 * (most - least || most || 1)
  const [low, high] = [least - margin, most + margin]
  const plotWidth = panel.width - panel.left - panel.right
  const plotHeight = panel.height - panel.top - panel.bottom
  return {
    low,
    high,
    x: (share) => panel.left + share * plotWidth,
    y: (loss) => panel.top + ((high - Math.min(Math.max(loss, low), high)) / (high - low)) * plotHeight,
  }
}

const niceSteps = [1, 2, 2.5, 5, 10]

function axes({ x, y, low, high }: Scale): string[] {
  const rough = (high - low) / 4
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * niceSteps.find((nice) => nice * power >= rough)!
  const digits = Math.max(0, Math.min(4, Math.ceil(-Math.log10(step)) + (step / power === 2.5 ? 1 : 0)))
  const lines: string[] = []
  for (let value = Math.ceil(low / step) * step; value <= high; value += step)
    lines.push(
      `<path d="M${fixed(x(0))} ${fixed(y(value))}H${fixed(x(1))}" stroke="#dfe3e9"/>`,
      text(x(0) - 8, y(value) + 4, value.toFixed(digits), { color: grey, size: 11, anchor: 'end' }),
    )
  const bottom = panel.height - panel.bottom
  for (const share of [0, 0.25, 0.5, 0.75, 1])
    lines.push(text(x(share), bottom + 17, `${100 * share} %`, { color: grey, size: 11, anchor: 'middle' }))
  lines.push(`<path d="M${fixed(x(0))} ${bottom}H${fixed(x(1))}" stroke="${grey}"/>`)
  return lines
}

function curveLines(curve: readonly Curve[], { x, y }: Scale, color: string, dash: string): string[] {
  if (curve.length === 0) return []
  const along = (points: readonly (readonly [number, number])[]) =>
    points.map(([share, loss]) => `${fixed(x(share))} ${fixed(y(loss))}`).join('L')
  const upper = curve.map(({ share, max }) => [share, max] as const)
  const lower = curve.map(({ share, min }) => [share, min] as const).reverse()
  const middle = curve.map(({ share, mean }) => [share, mean] as const)
  return [
    `<path d="M${along([...upper, ...lower])}Z" fill="${color}" fill-opacity=".12"/>`,
    `<path d="M${along(middle)}" fill="none" stroke="${color}" stroke-width="2" stroke-dasharray="${dash}"/>`,
  ]
}

/** Labels in the order of their losses, pushed apart so that none covers another. */
function endLines(marks: readonly EndMark[], { x, y, high }: Scale): string[] {
  const lineHeight = 14
  const sorted = [...marks].sort((a, b) => b.loss - a.loss)
  const bottom = panel.height - panel.bottom
  const places: number[] = []
  for (const { loss } of sorted) places.push(Math.max(y(loss), (places.at(-1) ?? 0) + lineHeight))
  for (let i = places.length - 1; i >= 0; i--)
    places[i] = Math.min(places[i]!, (places[i + 1] ?? bottom + lineHeight) - lineHeight)
  const edge = x(1)
  return sorted.flatMap(({ loss, label, color }, index) => [
    `<path d="M${fixed(edge + 2)} ${fixed(y(loss))}h10L${fixed(edge + 24)} ${fixed(places[index]!)}h4" fill="none" stroke="${color}" stroke-width="1.5"/>`,
    text(edge + 32, places[index]! + 4, `${loss > high ? '↑ ' : ''}${label} ${loss.toFixed(3)}`, {
      color,
      size: 11.5,
    }),
  ])
}

function taskPanel(results: Results, result: TaskResult): string {
  const { task, oracle, rates } = result
  const runs = rates.find(({ rate }) => rate === oracle.rate)!
  const full = curveOf(runs, 'full')
  const half = curveOf(runs, 'half')
  const marks = placedMarks(results, result, runs)
  const ends = endMarks(results, result)
  const curves = [...full, ...half]
  // One run that went wrong must not squeeze the curves: what lies farther is put at the edge, with an arrow.
  const [least, most] = [Math.min(...curves.map(({ min }) => min)), Math.max(...curves.map(({ max }) => max))]
  const farthest = most + (most - least)
  const scale = scaleFor([
    ...curves.flatMap(({ min, max }) => [min, max]),
    ...marks.map(({ loss }) => loss),
    ...ends.map(({ loss }) => Math.min(loss, farthest)),
  ])
  return [
    text(panel.left, 20, `${task.name}, rate ${oracle.rate}`, { size: 14, weight: 600 }),
    ...axes(scale),
    ...curveLines(half, scale, orange, '5 4'),
    ...curveLines(full, scale, blue, ''),
    ...markLines(marks, scale),
    ...endLines(ends, scale),
  ].join('\n')
}

function legend(width: number, shown: readonly MarkStyle[]): string {
  const lines = [
    text(20, 28, 'Test loss over the time of the switch', { size: 18, weight: 600 }),
    text(
      20,
      48,
      'Lower is better. Horizontal: elapsed share of the budget at which the anneal begins. Right edge: where whole runs ended, search included.',
      { color: grey, size: 12 },
    ),
    `<path d="M20 70h28" stroke="${blue}" stroke-width="2"/>`,
    text(54, 74, 'annealed to the end of the budget'),
    `<path d="M290 70h28" stroke="${orange}" stroke-width="2" stroke-dasharray="5 4"/>`,
    text(324, 74, 'annealed over half of the steps so far, then finished'),
  ]
  let x = 28
  for (const { label, color, shape } of shown) {
    lines.push(symbol(shape, x, 94, color), text(x + 13, 98, label))
    x += 40 + 6.6 * label.length
  }
  if (x > width) throw new RangeError(`the legend must fit into ${width}, got ${x}`)
  return lines.join('\n')
}

/** @throws RangeError if there is no task. */
export function decisionsPicture(results: Results): string {
  if (results.tasks.length === 0) throw new RangeError('a picture needs at least one task, got none')
  const width = columns * panel.width
  const height = headHeight + Math.ceil(results.tasks.length / columns) * panel.height
  const shown = markStyles.filter(({ row }) => results.marks.some((mark) => mark.row === row))
  const panels = results.tasks.map((result, index) => {
    const [x, y] = [(index % columns) * panel.width, headHeight + Math.floor(index / columns) * panel.height]
    return `<g transform="translate(${x} ${y})">\n${taskPanel(results, result)}\n</g>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="Inter, system-ui, 'DejaVu Sans', sans-serif" role="img" aria-label="Test loss over switch time">
<rect width="${width}" height="${height}" fill="#fff"/>
${legend(width, shown)}
${panels.join('\n')}
</svg>
`
}
