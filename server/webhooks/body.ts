// What is sent: JSON with the run as it was then, the decision, and where to look. Or a message for Slack, in which what a job
// named itself is text and nothing else: no link, no mention, no picture that Slack fetches.

import type { Decision, RunSummary, WebhookEvent, WebhookShape } from '../../protocol/vocabulary.ts'

export type News = {
  readonly event: WebhookEvent
  /** ISO 8601, UTC. */
  readonly at: string
  readonly run: RunSummary
  readonly decision: Decision | null
  /** Of the page; null = the server was not told its own address. */
  readonly publicUrl: string | null
}

const titles: Readonly<Record<WebhookEvent, string>> = {
  decision: 'New decision',
  switch: 'Switch to annealing',
  transition: 'The regime changed',
  waiting: 'A decision waits for approval',
  drift: 'The learning rate is not the planned one',
  diverged: 'The run diverged',
  finished: 'The run is finished',
  stale: 'The run fell silent',
}

function linkOf({ publicUrl, run, decision }: News): string | null {
  if (publicUrl === null) return null
  const query = decision === null ? '' : `?decision=${decision.number}`
  return `${publicUrl}/runs/${encodeURIComponent(run.id)}${query}`
}

function genericBody(news: News): object {
  const { event, at, run, decision } = news
  const { id, options, state, mode, phase, regime, step, budgetSteps, headline, loss, learningRate } = run
  const { name, project, tags } = options
  const shown = { id, name, project, tags, state, mode, phase, regime: regime.name, step, budgetSteps }
  return {
    type: event,
    timestamp: at,
    data: {
      run: { ...shown, headline, loss, learningRate, switchStep: run.switchStep },
      decision: decision && {
        number: decision.number,
        kind: decision.kind,
        status: decision.status,
        step: decision.step,
        summary: decision.summary,
        phase: decision.phase,
        regime: decision.regime,
        transition: decision.transition ?? null,
        reason: decision.reason,
      },
      url: linkOf(news),
    },
  }
}

/** The three characters that Slack's markup is made of. */
const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

/** Slack takes no more in one block. */
const slackCharactersMax = 2_900
const cut = (text: string) =>
  text.length <= slackCharactersMax ? text : `${text.slice(0, slackCharactersMax)}…`

const slackMessage = (title: string, lines: readonly string[], link: string | null): object => {
  const plain = (text: string) => ({
    type: 'section',
    text: { type: 'plain_text', text: cut(text), emoji: false },
  })
  // `verbatim`: Slack makes no link, channel or mention of what looks like one.
  const open = { type: 'mrkdwn', text: `<${link}|Open the run>`, verbatim: true }
  return {
    text: escaped(cut([title, ...lines].join('\n'))),
    blocks: [
      plain([title, ...lines].join('\n')),
      ...(link === null ? [] : [{ type: 'section', text: open }]),
    ],
    unfurl_links: false,
    unfurl_media: false,
  }
}

function slackBody(news: News): object {
  const { run, decision, event } = news
  const { name, project } = run.options
  const lines = [`${name} (${project}, step ${run.step})`, decision?.summary ?? run.headline]
  return slackMessage(titles[event], lines, linkOf(news))
}

/** JSON, as it is sent and signed. */
export const bodyOf = (shape: WebhookShape, news: News): string =>
  JSON.stringify(shape === 'slack' ? slackBody(news) : genericBody(news))

/** What a test sends. */
export const testBodyOf = (shape: WebhookShape, at: string): string =>
  JSON.stringify(
    shape === 'slack'
      ? slackMessage('A test of this webhook by Twostep', [], null)
      : { type: 'test', timestamp: at, data: {} },
  )
