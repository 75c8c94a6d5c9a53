// A server for the gallery alone: it answers what the page's views ask for themselves, from the sample runs, and refuses all
// that would change something, as a refusal is a state, too.

import { compactSeries } from '../../protocol/compactSeries.ts'
import type { WhatIfAnswer } from '../../protocol/vocabulary.ts'
import { comparable } from './listScenes.ts'
import { sampleAudit, sampleRemoved, sampleTokens } from './sampleAccess.ts'
import { sampleDeliveries, sampleWebhooks } from './sampleWebhooks.ts'
import type { SyntheticRun } from './syntheticRun.ts'
import { syntheticRun } from './syntheticRun.ts'

const schedule = `# The learning rates of a run, as a scheduler for PyTorch.
RATES = [(0, 528, 1e-06, 0.1), (528, 3960, 0.1, 0.1), (3960, 6000, 0.1, 0.0)]


def rate_at(step):
    for first, end, start, stop in RATES:
        if step < end:
            return start + (stop - start) * (step - first) / (end - first)
    return RATES[-1][3]


def lr_scheduler(optimizer):
    ...
`

const refusal = (detail: string) => ({
  type: 'about:blank',
  title: 'Refused',
  status: 409,
  detail,
  code: 'sample',
})

/** What would have been under another budget: the switch comes earlier, and so does all that follows. */
function whatIf(
  sample: SyntheticRun,
  body: { budgetSteps?: number | null; untilStep?: number },
): WhatIfAnswer {
  const { run, decisions } = sample
  const step = Math.min(run.step, body.untilStep ?? run.step)
  const other = syntheticRun({
    id: run.id,
    step,
    budgetSteps: body.budgetSteps ?? run.budgetSteps ?? 6000,
  })
  const heads = (of: SyntheticRun['decisions'], i: number) => {
    const decision = of[i]
    if (decision === undefined) return null
    const { step: at, kind, status, summary } = decision
    return { step: at, kind, status, summary }
  }
  const count = Math.max(decisions.length, other.decisions.length)
  return {
    run: { ...other.run, headline: `Large step at 0.1, step ${step.toLocaleString('en-US')}: it stays.` },
    plan: { real: run.plan, whatIf: other.run.plan },
    decisions: Array.from({ length: count }, (_, i) => ({
      number: i + 1,
      real: heads(decisions, i),
      whatIf: heads(other.decisions, i),
    })),
    decisionCount: { real: decisions.length, whatIf: other.decisions.length },
    differsFrom: body.budgetSteps === undefined ? null : 2,
    observations: step + 60,
    commandsLeftOut: 0,
    runId: run.id,
    note: '',
  }
}

/** The signals that are asked for, in the columns that the wire has. */
function seriesOf({ series }: SyntheticRun, names: readonly string[]) {
  const found = Object.entries(series.signals).filter(([name]) => names.length === 0 || names.includes(name))
  const signals = found.map(([name, columns]) => [name, { ...columns, first: columns.last }])
  return { ...series, signals: Object.fromEntries(signals) }
}

const json = (value: unknown, status = 200) =>
  new Response(JSON.stringify(value), { status, headers: { 'content-type': 'application/json' } })

function answer(url: URL, method: string, body: string, shown: SyntheticRun | null): Response | null {
  if (url.pathname === '/healthz') return json({ status: 'ok' })
  if (url.pathname === '/readyz') return json({ status: 'ok', storage: 'sqlite' })
  if (url.pathname === '/version')
    return json({ version: '0.2.0', protocol: '1.1', tuner: '12', node: 'v22.12.0' })
  const [, id = '', rest = ''] = /^\/api\/v1\/runs\/([^/]+)\/?(.*)$/.exec(url.pathname) ?? []
  if (url.pathname === '/api/v1/runs') return json({ runs: [], next: null, total: 0, all: 0 })
  if (url.pathname === '/api/v1/tokens') return json({ tokens: sampleTokens() })
  if (url.pathname === '/api/v1/audit') return json({ entries: sampleAudit(), next: 36 })
  if (url.pathname === '/api/v1/removed-runs') return json({ runs: sampleRemoved() })
  if (url.pathname === '/api/v1/webhooks') return json({ webhooks: sampleWebhooks() })
  if (url.pathname.endsWith('/deliveries')) return json({ deliveries: sampleDeliveries(), next: null })
  if (id === '') return url.pathname.startsWith('/api/') ? json(refusal('This is a gallery.'), 409) : null
  const sample = shown?.run.id === id ? shown : comparable[id]
  if (sample === undefined)
    return json({ ...refusal(`no run "${id}"`), status: 404, code: 'run-not-found' }, 404)
  if (method === 'GET' && rest === '') return json(sample.run)
  if (rest === 'series/compact') {
    const series = seriesOf(sample, url.searchParams.getAll('signals'))
    return json(compactSeries(series, { digits: 17, extremes: new Set(Object.keys(series.signals)) }))
  }
  if (rest === 'schedule') return new Response(schedule)
  if (rest === 'what-if') return json(whatIf(sample, JSON.parse(body)))
  return json(refusal('This is a gallery: nothing is sent.'), 409)
}

/** From now on what is fetched from the API is answered here; files of the page come as ever. */
export function startSampleServer(shown: SyntheticRun | null): void {
  const real = globalThis.fetch.bind(globalThis)
  globalThis.fetch = async (given, options) => {
    const url = new URL(given instanceof Request ? given.url : String(given), location.href)
    return answer(url, options?.method ?? 'GET', String(options?.body ?? ''), shown) ?? real(given, options)
  }
}
