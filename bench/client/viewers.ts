// A process of its own that watches a run as so many open pages do: one socket each, subscribed to the signals that a page
// draws, from where the run is (what was before, a page loads over HTTP). Arguments: the server's address, the run, how many, the signals with commas. Prints a line once all of them are
// subscribed, and ends when it is told to.

import { io } from 'socket.io-client'
import type { RunSummary, SubscribeAnswer } from '../../protocol/vocabulary.ts'

const [url, runId, count, signals] = process.argv.slice(2)
const run = (await (await fetch(`${url}/api/v1/runs/${runId}`)).json()) as RunSummary

async function watch(): Promise<void> {
  // Each has a connection of its own, as pages have.
  const socket = io(`${url}/live`, { transports: ['websocket'], forceNew: true })
  for (const event of ['samples', 'run', 'decision']) socket.on(event, () => {})
  const already = { afterDecision: run.decisionCount, afterStep: run.step }
  const request = { runId, ...already, points: 1_200, signals: signals?.split(','), together: true }
  const answer = (await socket.emitWithAck('subscribe', request)) as SubscribeAnswer
  if (!answer.ok) throw new Error(answer.problem.detail)
}

await Promise.all(Array.from({ length: Number(count) }, watch))
console.log('watching')
