// The two pictures of a run in docs/DECISIONS.md: its course (held-out losses above, the rate below), and the switch
// rule (what staying gains against what annealing gains, probe by probe). Blue is the large step, orange the anneal,
// as on the product's page.

import { type Axis, colors, textAt } from '../paper/panel.ts'
import {
  axes,
  band,
  type Frame,
  head,
  line,
  logTicks,
  niceTicks,
  phaseGround,
  sheet,
  stepAxis,
  xOf,
  yOf,
} from './drawing.ts'
import type { Side, StepValue, Story, Verdict } from './story.ts'

const lossHeight = 240
const rateHeight = 120
const ruleHeight = 280
/** Points of the applied rate that are drawn at most, besides those where it turns. */
const ratePointsMax = 400

const grouped = (value: number): string => value.toLocaleString('en-GB')

/** A dashed line where the anneal begins, with its step. */
function switchMark({ switched }: Story, frame: Frame, toY: number): string[] {
  if (switched === null) return []
  const x = xOf(frame, switched.step)
  const isLate = switched.step > 0.75 * frame.x.to
  return [
    `<path d="M${x.toFixed(1)} ${frame.top}V${toY}" stroke="${colors.ink}" stroke-width="1.5" stroke-dasharray="5 3"/>`,
    textAt(`switch at step ${grouped(switched.step)}`, {
      x: isLate ? x - 8 : x + 8,
      y: frame.top + 18,
      anchor: isLate ? 'end' : 'start',
      isBold: true,
    }),
  ]
}

function lossAxis({ rawLoss, averagedLoss }: Story): Axis {
  const values = [...rawLoss, ...averagedLoss].map(({ value }) => value).filter((value) => value > 0)
  const from = Math.min(...values, 1) / 1.08
  const to = Math.max(...values, 2 * from) * 1.08
  return { label: 'held-out loss (nats, log scale)', scale: 'log', from, to, ticks: logTicks(from, to) }
}

function rateAxis(rates: readonly StepValue[]): Axis {
  const to = 1.08 * Math.max(...rates.map(({ value }) => value), 1e-12)
  return { label: 'learning rate', scale: 'linear', from: 0, to, ticks: niceTicks(0, to, 4) }
}

/** The rate where it turns, and a few points between: a line that is straight needs no more. */
function thinned(rates: readonly StepValue[]): StepValue[] {
  const stride = Math.ceil(rates.length / ratePointsMax)
  return rates.filter(({ value }, i) => {
    const [before, after] = [rates[i - 1]?.value, rates[i + 1]?.value]
    if (before === undefined || after === undefined || i % stride === 0) return true
    return Math.abs(value - before) > 0.05 * value || Math.abs(after - value) > 0.05 * value
  })
}

/** The rate of the large step, written over its line: the search has far larger ones. */
function largeRateLabel({ phases, rates, switched }: Story, frame: Frame): string {
  const large = phases.findLast(({ phase }) => phase === 'large')
  if (large === undefined) return ''
  const until = switched?.step ?? large.toStep ?? Number.POSITIVE_INFINITY
  const last = rates.findLast(({ step }) => step < until)
  if (last === undefined || last.step < large.fromStep) return ''
  return textAt(String(Number(last.value.toPrecision(2))), {
    x: (xOf(frame, large.fromStep) + xOf(frame, last.step)) / 2,
    y: yOf(frame, last.value) - 8,
    anchor: 'middle',
    color: colors.small,
  })
}

/** Held-out losses over the steps, and below them the rate that was applied. @throws RangeError without a probe. */
export function coursePicture(story: Story): string {
  if (story.rawLoss.length === 0) throw new RangeError('a picture needs at least one valley probe, got none')
  const legend = [
    { label: 'held-out loss of the present weights', color: colors.faint, opacity: 0.7 },
    { label: 'of averaged weights', color: colors.large },
    { label: 'learning rate', color: colors.small },
  ]
  const { drawn, bottom } = head(`A steered run: ${story.title}`, story.switched?.summary ?? '', legend)
  const top = bottom + 24
  const x = stepAxis(story.stepCount)
  const loss: Frame = { x, y: lossAxis(story), top, height: lossHeight }
  const rate: Frame = { x, y: rateAxis(story.rates), top: top + lossHeight + 24, height: rateHeight }
  const end = rate.top + rateHeight
  return sheet(end + 50, `Held-out loss and learning rate of a steered run: ${story.title}`, [
    ...drawn,
    ...phaseGround({ x, top, height: end - top }, story),
    ...axes(loss, false),
    ...axes(rate, true),
    line(loss, story.rawLoss, { color: colors.faint, width: 1.6, opacity: 0.7 }),
    line(loss, story.averagedLoss, { color: colors.large, width: 2.2 }),
    line(rate, thinned(story.rates), { color: colors.small }),
    largeRateLabel(story, rate),
    ...switchMark(story, loss, end),
  ])
}

const errorBand = (verdicts: readonly Verdict[], sideOf: (verdict: Verdict) => Side) =>
  verdicts.map((verdict) => {
    const { value, standardError } = sideOf(verdict)
    return { step: verdict.step, low: value - standardError, high: value + standardError }
  })

/**
 * Logarithmic where staying gains far more early than annealing does, as it mostly does; linear where a side is not
 * above 0, and then up to a multiple of what annealing gains.
 */
function gainAxis(verdicts: readonly Verdict[]): Axis {
  const values = verdicts.flatMap(({ staying, annealing }) => [staying.value, annealing.value])
  const [least, most] = [Math.min(...values), Math.max(...values)]
  if (least > 0 && most > 20 * Math.max(...verdicts.map(({ annealing }) => annealing.value))) {
    const [from, to] = [least / 1.8, most * 1.5]
    return {
      label: 'gain in final loss (nats, log scale)',
      scale: 'log',
      from,
      to,
      ticks: logTicks(from, to),
    }
  }
  const annealing = Math.max(
    ...verdicts.map((verdict) => verdict.annealing.value + verdict.annealing.standardError),
  )
  const to = 1.1 * Math.max(annealing, Math.min(most, 5 * annealing))
  const from = Math.min(-to / 6, Math.max(-to / 3, 1.1 * least))
  return { label: 'gain in final loss (nats)', scale: 'linear', from, to, ticks: niceTicks(from, to, 5) }
}

function dots(frame: Frame, verdicts: readonly Verdict[]): string[] {
  return verdicts.map(({ step, staying, annealing }) => {
    const isMet = staying.value <= annealing.value
    const fill = isMet ? colors.large : '#fff'
    return `<circle cx="${xOf(frame, step).toFixed(1)}" cy="${yOf(frame, staying.value).toFixed(1)}" r="3.5" fill="${fill}" stroke="${colors.large}" stroke-width="1.5"/>`
  })
}

/** Both sides of the rule at every probe, with one standard error. @throws RangeError if the rule was never asked. */
export function rulePicture(story: Story): string {
  const { verdicts, title, stepCount } = story
  if (verdicts.length === 0)
    throw new RangeError('a picture needs at least one verdict of the rule, got none')
  const sentence =
    'At each probe: what staying at the large rate still gains, against what annealing gains. Shaded: one standard error. ' +
    'A filled dot is a probe at which staying gains no more. Values beyond the axis stand at its edge.'
  const { drawn, bottom } = head(`What the switch rule saw: ${title}`, sentence, [
    { label: 'what staying still gains', color: colors.large },
    { label: 'what annealing gains', color: colors.small },
  ])
  // The rule is asked in the large step alone; a little of what follows is enough.
  const seenSteps = Math.min(stepCount, Math.ceil(1.2 * verdicts.at(-1)!.step))
  const frame: Frame = {
    x: stepAxis(seenSteps),
    y: gainAxis(verdicts),
    top: bottom + 24,
    height: ruleHeight,
  }
  const end = frame.top + ruleHeight
  const along = (sideOf: (verdict: Verdict) => Side) =>
    verdicts.map((verdict) => ({ step: verdict.step, value: sideOf(verdict).value }))
  return sheet(end + 50, `Both sides of the switch rule at each probe: ${title}`, [
    ...drawn,
    ...phaseGround(frame, { phases: story.phases, stepCount: seenSteps }),
    ...axes(frame, true),
    band(
      frame,
      errorBand(verdicts, ({ staying }) => staying),
      colors.large,
    ),
    band(
      frame,
      errorBand(verdicts, ({ annealing }) => annealing),
      colors.small,
    ),
    line(
      frame,
      along(({ staying }) => staying),
      { color: colors.large },
    ),
    line(
      frame,
      along(({ annealing }) => annealing),
      { color: colors.small },
    ),
    ...dots(frame, verdicts),
    ...switchMark(story, frame, end),
  ])
}
