// Up to eight runs side by side: their lines over one x, and a table of what they are set to and what they reached. What
// is compared and how stands in the address. Loaded when it is first opened.

import { useSignal } from '@preact/signals'
import { useLayoutEffect } from 'preact/hooks'
import { formatNumber, formatPercent, formatRate, formatStep } from '../../protocol/numbers.ts'
import { alignedLine, axisOf, tellingNames } from '../charts/aligned.ts'
import { CompareChart, type CompareLine } from '../charts/compareChart.tsx'
import { formatAddress, goTo } from '../state/address.ts'
import { type CompareAddress, type CompareAxis, compareAxes } from '../state/compareAddress.ts'
import { type Compared, comparison, followComparison } from '../state/comparison.ts'
import { allRuns } from '../state/listAddress.ts'
import { CursorSlider, Legend } from './compareLegend.tsx'
import { CompareTables } from './compareTables.tsx'
import { formatDuration } from './format.ts'
import { keyListOpen } from './keyList.tsx'
import { useKeys } from './keys.ts'
import '../style/compare.css'

const axisTitle: Readonly<Record<CompareAxis, string>> = { step: 'Step', share: 'Share', time: 'Time' }
const axisMeaning: Readonly<Record<CompareAxis, string>> = {
  step: 'Steps, as each job counts them',
  share: 'Share of the run, of its budget where it has one',
  time: 'Time since the start of the run',
}
const axisWrite: Readonly<Record<CompareAxis, (value: number) => string>> = {
  step: formatStep,
  share: (value) => formatPercent(value, 3),
  time: formatDuration,
}

/** What is compared most; the address may name any other signal. */
const signalTitle: Readonly<Record<string, string>> = {
  lossSmoothed: 'Training loss, smoothed',
  loss: 'Training loss, raw',
  probeLoss: 'Held-out loss',
  averagedLoss: 'Held-out loss of averaged weights',
  probeAccuracy: 'Held-out accuracy',
  averagedAccuracy: 'Held-out accuracy of averaged weights',
  regimeIndex: 'Regime index',
  noiseScale: 'Gradient noise scale',
  rateRatio: 'Rate ÷ critical rate',
}

const nameOf = (signal: string) => signalTitle[signal] ?? signal.replace(/^metrics\./, '')

export function ComparePage({ address }: { address: CompareAddress }) {
  useLayoutEffect(followComparison, [])
  useKeys({
    '?': () => {
      keyListOpen.value = true
    },
  })
  const { compared, failures, loaded, names } = comparison.value
  const others = formatAddress({ ...allRuns, pick: address.runs })
  return (
    <main class="page compare">
      <div class="list-head">
        <h1>Compare</h1>
        <a href={others}>Pick others</a>
      </div>
      {failures.map((words) => (
        <p key={words} class="card empty" role="alert">
          {words} <a href={others}>Pick others</a>
        </p>
      ))}
      {address.runs.length === 0 ? (
        <section class="card empty">
          <p>
            Nothing is picked. Pick runs in the <a href={formatAddress(allRuns)}>list</a>, with the boxes or
            with <kbd>x</kbd>, then compare them.
          </p>
        </section>
      ) : loaded ? (
        compared.length > 0 && <Compare address={address} compared={compared} own={names} />
      ) : (
        <section class="card empty">
          <p>Loading the runs…</p>
        </section>
      )}
    </main>
  )
}

type View = {
  readonly address: CompareAddress
  readonly compared: readonly Compared[]
  /** The jobs' own metrics. */
  readonly own: readonly string[]
}

function Compare({ address, compared, own }: View) {
  const cursor = useSignal<number | null>(null)
  const names = tellingNames(compared.map(({ run }) => run.options.name))
  const linesOf = (signal: string) =>
    compared.map(({ run, signals }, look) => ({
      look,
      name: names[look]!,
      line: alignedLine(signals[signal], axisOf(run, address.x, signals.stepSeconds)),
    }))
  const chosen = linesOf(address.signal)
  const rates = linesOf('learningRate')
  const x = { ...extentOf(address.x, [...chosen, ...rates]), write: axisWrite[address.x] }
  const isAccuracy = /accuracy/i.test(address.signal)
  const write = isAccuracy ? (value: number) => formatPercent(value, 4) : formatNumber
  const setCursor = (at: number | null) => {
    cursor.value = at
  }
  const shared = { x, cursor: cursor.value, setCursor }
  return (
    <>
      <section class="card compare-card" aria-label="Lines">
        <Choices address={address} own={own} />
        <Legend address={address} compared={compared} lines={chosen} at={cursor.value} write={write} x={x} />
        <CompareChart
          {...shared}
          title={nameOf(address.signal)}
          lines={chosen}
          heightPx={260}
          log={address.log}
          labelled={false}
          write={write}
        />
        <CompareChart
          {...shared}
          title="Learning rate, applied"
          lines={rates}
          heightPx={130}
          log={false}
          labelled={true}
          write={formatRate}
        />
        <CursorSlider {...shared} lines={chosen} write={write} />
        <p class="sub">{axisWords(address, compared)}</p>
      </section>
      <CompareTables address={address} runs={compared.map(({ run }) => run)} />
    </>
  )
}

/** The stretch of the axis that the lines reach. */
function extentOf(axis: CompareAxis, lines: readonly CompareLine[]): { from: number; to: number } {
  const ends = lines.flatMap(({ line }) => (line.length === 0 ? [] : [line[0]!.x, line.at(-1)!.x]))
  if (axis === 'share' || ends.length === 0) return { from: 0, to: 1 }
  return { from: axis === 'step' ? Math.min(...ends) : 0, to: Math.max(...ends) }
}

function axisWords({ x }: CompareAddress, compared: readonly Compared[]): string {
  if (x !== 'time') return `${axisMeaning[x]}.`
  const untold = compared.filter(({ signals }) => (signals.stepSeconds?.step.length ?? 0) < 2).length
  const told = 'by what the job says its steps took'
  if (untold === 0) return `${axisMeaning.time}, ${told}.`
  return `${axisMeaning.time}, ${told}; of ${untold === compared.length ? 'these runs' : formatStep(untold)} that ${untold === 1 ? 'does' : 'do'} not say, as if all steps took as long.`
}

function Choices({ address, own }: Omit<View, 'compared'>) {
  const change = (part: Partial<CompareAddress>) => goTo({ ...address, ...part }, 'replace')
  const options = [...new Set([...Object.keys(signalTitle), ...own, address.signal])]
  return (
    <div class="compare-choices">
      <label>
        Signal{' '}
        <select
          class="choice"
          value={address.signal}
          onChange={(event) => change({ signal: event.currentTarget.value })}
        >
          {options.map((name) => (
            <option key={name} value={name} selected={name === address.signal}>
              {nameOf(name)}
            </option>
          ))}
        </select>
      </label>
      <fieldset class="segments">
        <legend>By</legend>
        {compareAxes.map((axis) => (
          <label key={axis} title={axisMeaning[axis]}>
            <input
              type="radio"
              name="axis"
              checked={address.x === axis}
              onChange={() => change({ x: axis })}
            />
            <span>{axisTitle[axis]}</span>
          </label>
        ))}
      </fieldset>
      <label class="row-of">
        <input type="checkbox" checked={address.log} onChange={() => change({ log: !address.log })} />
        Log axis
      </label>
    </div>
  )
}
