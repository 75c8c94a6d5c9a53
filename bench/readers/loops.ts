// Readers in loops, in a thread of their own so that what they do does not hold up who measures: each asks one question
// again as soon as it is answered, whatever the answer is.

import { Agent, get } from 'node:http'
import { parentPort, workerData } from 'node:worker_threads'

export type Loops = { readonly url: string; readonly readers: number }
/** How many answers of each status there were; 0 = none came. */
export type Answers = Readonly<Record<number, number>>

function ask(url: string, agent: Agent): Promise<number> {
  return new Promise((resolve) => {
    const call = get(url, { agent }, (response) => {
      response.on('end', () => resolve(response.statusCode ?? 0))
      response.on('error', () => resolve(0))
      response.resume()
    })
    call.on('error', () => resolve(0))
  })
}

async function loop({ url, readers }: Loops): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: readers })
  const answers: Record<number, number> = {}
  let isOver = false
  parentPort!.once('message', () => {
    isOver = true
    agent.destroy()
  })
  const one = async () => {
    while (!isOver) {
      const status = await ask(url, agent)
      if (!isOver) answers[status] = (answers[status] ?? 0) + 1
    }
  }
  await Promise.all(Array.from({ length: readers }, one))
  parentPort!.postMessage(answers)
}

if (parentPort !== null) await loop(workerData as Loops)
