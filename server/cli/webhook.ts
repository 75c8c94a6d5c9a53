// `twostep webhook`: the addresses that hear of runs, over the API of a running server. Of an address the path may be a secret, as
// Slack's is: tables and sentences show where it leads, and `--json` all of it.

import { webhookEvents, webhookShapes } from '../../protocol/lists.ts'
import { newWebhookSchema, webhookListSchema, webhookTestSchema } from '../../protocol/schemas.ts'
import type { CreateWebhook, Webhook } from '../../protocol/vocabulary.ts'
import { onOneLine } from '../controls.ts'
import { CommandError } from '../errors.ts'
import { print } from './print.ts'
import { type ReadOptions, timeOf } from './read.ts'
import { callRemote, jsonBody, parseAnswer, readRemote } from './remote.ts'
import { table } from './sentences.ts'

/** `https://hooks.slack.com/…` */
export function placeOf(url: string): string {
  if (!URL.canParse(url)) return '…'
  const { origin, pathname, search } = new URL(url)
  return pathname === '/' && search === '' ? origin : `${origin}/…`
}

/** One of a list, as it is typed. @throws CommandError */
function oneOf<Name extends string>(option: string, names: readonly Name[], text: string): Name {
  const found = names.find((name) => name === text)
  if (found !== undefined) return found
  throw new CommandError(`${option} must be of ${names.join(', ')}, got "${text}"`, 2)
}

/** Events as they are typed, with commas between. @throws CommandError */
export const eventsOf = (text: string): CreateWebhook['events'] =>
  text.split(',').map((name) => oneOf('--events', webhookEvents, name.trim()))

export type AddOptions = ReadOptions & {
  readonly events: string
  readonly project?: string
  readonly shape?: string
}

/** `twostep webhook add URL`. @throws CommandError */
export async function addWebhook(url: string, options: AddOptions): Promise<void> {
  const wish: CreateWebhook = {
    url,
    events: eventsOf(options.events),
    project: options.project ?? null,
    shape: oneOf('--shape', webhookShapes, options.shape ?? 'generic'),
  }
  const response = await callRemote(options, '/webhooks', jsonBody(wish))
  const made = parseAnswer(newWebhookSchema, await response.text(), options.server)
  const { webhook, secret } = made
  print(
    options.json === true
      ? JSON.stringify(made)
      : `${secret}\n\nThe webhook ${webhook.id} to ${placeOf(webhook.url)} hears of ${webhook.events.join(', ')}. What signs its messages stands above: copy it now, it is not shown again.`,
  )
}

async function listed(options: ReadOptions): Promise<{ text: string; webhooks: readonly Webhook[] }> {
  const { text } = await readRemote(options, '/webhooks')
  return { text, webhooks: parseAnswer(webhookListSchema, text, options.server).webhooks }
}

/** `twostep webhook list`. @throws CommandError */
export async function listWebhooks(options: ReadOptions): Promise<void> {
  const { text, webhooks } = await listed(options)
  if (options.json === true || webhooks.length === 0) {
    print(options.json === true ? text : 'No webhooks.')
    return
  }
  const rows = webhooks.map(({ id, url, events, project, shape, state, disabledAt, failingSince }) => [
    ...[id, placeOf(url), events.join(','), project ?? 'all', shape, state],
    timeOf(disabledAt ?? failingSince),
  ])
  print(table([['ID', 'TO', 'EVENTS', 'PROJECT', 'SHAPE', 'STATE', 'SINCE'], ...rows]))
}

/** The webhook that is meant by its id or its whole address. @throws CommandError */
async function meant(options: ReadOptions, named: string): Promise<Webhook> {
  const { webhooks } = await listed(options)
  const found = webhooks.filter(({ id, url }) => id === named || url === named)
  if (found.length === 1) return found[0]!
  throw new CommandError(
    found.length === 0
      ? `there is no webhook "${named}": \`twostep webhook list\` has their ids`
      : `several webhooks lead there: name one by its id (${found.map(({ id }) => id).join(', ')})`,
  )
}

const pathOf = ({ id }: Webhook) => `/webhooks/${encodeURIComponent(id)}`

/** `twostep webhook remove WEBHOOK`, with what it is still owed. @throws CommandError */
export async function removeWebhook(named: string, options: ReadOptions): Promise<void> {
  const webhook = await meant(options, named)
  const { id, url } = webhook
  await callRemote(options, pathOf(webhook), { method: 'DELETE' })
  print(options.json === true ? JSON.stringify({ id, url }) : `The webhook ${id} to ${placeOf(url)} is gone.`)
}

/** `twostep webhook test WEBHOOK`. Resolves to the exit status: 0 if it was taken. @throws CommandError */
export async function testWebhook(named: string, options: ReadOptions): Promise<number> {
  const webhook = await meant(options, named)
  const response = await callRemote(options, `${pathOf(webhook)}/test`, { method: 'POST' })
  const text = await response.text()
  const { taken, status, error } = parseAnswer(webhookTestSchema, text, options.server)
  const place = placeOf(webhook.url)
  const sentence = taken
    ? `${place} answered ${status}: it hears of runs.`
    : onOneLine(`${place} did not take the test: ${error}`)
  print(options.json === true ? text : sentence)
  return taken ? 0 : 1
}
