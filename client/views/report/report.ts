// A run as one file: sentence, facts, charts, decisions and schedule. It needs no server and has no script, so that it can
// be sent and kept. It says when it was made and of which step.

import { formatNumber, formatPlural, formatRate, formatStep } from '../../../protocol/numbers.ts'
import type { Decision, RunSummary } from '../../../protocol/vocabulary.ts'
import { gainsChart } from '../../charts/gainsChart.ts'
import { lossChart } from '../../charts/lossChart.ts'
import { rateChart } from '../../charts/rateChart.ts'
import type { ChartSpec, RunView } from '../../charts/spec.ts'
import { viewOf } from '../../charts/view.ts'
import type { Series } from '../../state/series.ts'
import { factsOf } from '../facts.tsx'
import { formatWithin } from '../format.ts'
import { notesOf } from '../notes.ts'
import { decisionTitle, formatTitle, modeTitle, stateTitle } from '../words.ts'
import { escaped, table } from './markup.ts'
import { reportStyle } from './reportStyle.ts'

export type ReportSource = {
  readonly run: RunSummary
  readonly decisions: readonly Decision[]
  readonly series: Series
  /** The schedule as code, and for what. */
  readonly code: string
  readonly format: keyof typeof formatTitle
  readonly madeAt: string
  readonly address: string
  /** A chart as SVG. */
  readonly draw: (spec: ChartSpec, view: RunView) => string
}

/** Decisions told in full; of more the newest ones. */
const decisionsMax = 500

export function reportOf(source: ReportSource): string {
  const { run, madeAt } = source
  const title = `${run.options.name}: a run's report`
  const parts = [
    headPart(source),
    chartsPart(source),
    decisionsPart(source),
    settingsPart(source),
    schedulePart(source),
  ]
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${escaped(title)}</title>
<style>${reportStyle}</style>
</head>
<body>
${parts.join('\n')}
<footer>Made by Twostep at ${escaped(madeAt)}, of step ${formatStep(run.step)}. ± and intervals are 95 %.</footer>
</body>
</html>
`
}

function headPart({ run, madeAt, address }: ReportSource): string {
  const notes = notesOf(run, Date.parse(madeAt)).map(({ words }) => `<p class="note">${escaped(words)}</p>`)
  const facts = factsOf(run).map(({ words }) => `<li>${escaped(words)}</li>`)
  return `<header>
<p class="sub">${escaped([run.options.project, ...run.options.tags].join(' · '))}</p>
<h1>${escaped(run.options.name)} <small>${stateTitle[run.state]}, ${modeTitle[run.mode].toLowerCase()}</small></h1>
<p class="say">${escaped(run.headline)}</p>
${notes.join('\n')}
<ul class="facts">${facts.join('')}</ul>
${forecastWords(run)}
<p class="sub"><a href="${escaped(address)}">${escaped(address)}</a></p>
</header>`
}

function forecastWords({ forecast }: RunSummary): string {
  if (forecast === null) return ''
  const { reached, isInside } = forecast
  const end =
    reached === null
      ? ''
      : ` Reached: ${formatNumber(reached)}${isInside === null ? '' : isInside ? ', inside of it' : ', outside of it'}.`
  return `<p>Final loss promised when the anneal began: ${escaped(formatWithin(forecast))}.${escaped(end)}</p>`
}

function chartsPart({ run, decisions, series, draw }: ReportSource): string {
  const view = viewOf({ run, decisions, series, zoom: null, lossFit: 'fit' })
  return [lossChart(view), gainsChart(view), rateChart(view)]
    .filter(({ missing }) => missing === null)
    .map((spec) => chartPart(spec, draw(spec, view)))
    .join('\n')
}

function chartPart(spec: ChartSpec, drawn: string): string {
  const rows = spec.tableSteps.map((step) => [formatStep(step), ...spec.columns.map(({ at }) => at(step))])
  return `<section>
<h2>${escaped(spec.title)}</h2>
<figure>${drawn}<figcaption>${escaped(spec.sentence)}</figcaption></figure>
<details><summary>Numbers</summary>${table(['step', ...spec.columns.map(({ title }) => title)], rows)}</details>
</section>`
}

function decisionsPart({ decisions }: ReportSource): string {
  const told = decisions.filter(({ kind }) => kind !== 'hold')
  const holds = decisions.length - told.length
  const rows = told
    .slice(-decisionsMax)
    .map((decision) => [
      formatStep(decision.number),
      decisionTitle(decision),
      decision.summary,
      decision.person === undefined ? '' : `${decision.person.by}: ${decision.person.reason}`,
    ])
  const left = told.length > decisionsMax ? ` The newest ${formatStep(decisionsMax)} are listed.` : ''
  return `<section>
<h2>Decisions</h2>
<p>${formatPlural(told.length, 'decision')}, and ${formatPlural(holds, 'hold')} between them.${left}</p>
${table(['', 'What', 'Why', 'By hand'], rows)}
</section>`
}

function settingsPart({ run }: ReportSource): string {
  const { options } = run
  const { name, momentum, weightDecay } = options.optimizer
  const known = (value: number | null, format: (value: number) => string) =>
    value === null ? 'not set' : format(value)
  const rows = [
    ['Run', run.id],
    ['Framework', options.framework],
    ['Optimizer', name],
    ['Momentum', known(momentum, formatNumber)],
    ['Weight decay', known(weightDecay, formatNumber)],
    ['Budget', known(run.budgetSteps, formatStep)],
    ['Rate given', known(options.learningRate.initial, formatRate)],
    ['Large rate', known(run.largeLearningRate, formatRate)],
    ['Capabilities', options.capabilities.join(', ') || 'none'],
    ['Begun', run.createdAt],
    ['Last seen', run.lastSeenAt],
    ...Object.entries(options.settings).map(([key, value]) => [key, String(value)]),
  ]
  return `<section>\n<h2>Settings</h2>\n${table(['Setting', 'Value'], rows)}\n</section>`
}

const schedulePart = ({ code, format }: ReportSource): string => `<section>
<h2>Schedule for ${formatTitle[format]}</h2>
<p>A file to import as it is.</p>
<pre><code>${escaped(code)}</code></pre>
</section>`
