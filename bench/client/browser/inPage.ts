// Functions that run in the page, each whole in itself, as the browser is handed their text. Times are the page's own,
// counted from the beginning of the navigation; what is drawn counts from the frame that shows it.

declare global {
  interface Window {
    /** When what was waited for was on the screen; undefined = not yet. */
    benchFirstMs: number | undefined
    bench: {
      inputMs: number
      /** Paints of charts: when they were begun, and when they were on the screen. */
      paints: { begun: number; shown: number }[]
      /** Answers with series, when they had been read. */
      answers: { url: string; at: number }[]
    }
    /** Frames of each second, the second that goes on last. */
    benchFrames: number[]
    benchRows: { key: number; shown: number }[]
  }
}

/** Where the first picture has its first numbers: of a run, of the list. */
export const lossNumbers = 'figure[aria-labelledby="loss-title"] .chart-head b'
export const firstRow = 'table.runs .run-name'

/** Notes when an element's text first has a digit or letter in a frame. */
export function noteFirst(selector: string): void {
  const look = () => {
    if (!/\w/.test(document.querySelector(selector)?.textContent ?? '')) return
    observer.disconnect()
    requestAnimationFrame(() => {
      const channel = new MessageChannel()
      // A message sent in a frame arrives after that frame was painted.
      channel.port1.onmessage = () => {
        window.benchFirstMs = performance.now()
      }
      channel.port2.postMessage(null)
    })
  }
  const observer = new MutationObserver(look)
  observer.observe(document, { subtree: true, childList: true, characterData: true })
}

/** Notes inputs, paints of charts and answers with series from now on. */
export function noteCharts(): void {
  window.bench = { inputMs: 0, paints: [], answers: [] }
  for (const kind of ['wheel', 'keydown', 'pointerup'])
    addEventListener(
      kind,
      ({ timeStamp }) => {
        window.bench.inputMs = timeStamp
      },
      { capture: true, passive: true },
    )
  const { getContext } = HTMLCanvasElement.prototype
  HTMLCanvasElement.prototype.getContext = function (this: HTMLCanvasElement, ...given: unknown[]) {
    const paint = { begun: performance.now(), shown: Number.NaN }
    if (this.closest('.plot') !== null) {
      window.bench.paints.push(paint)
      requestAnimationFrame(() => {
        const channel = new MessageChannel()
        channel.port1.onmessage = () => {
          paint.shown = performance.now()
        }
        channel.port2.postMessage(null)
      })
    }
    return (getContext as (...all: unknown[]) => unknown).apply(this, given)
  } as typeof getContext
  const ask = window.fetch
  window.fetch = async (...given) => {
    const response = await ask(...given)
    const url = String(given[0])
    if (!/\/series[/?]/.test(url)) return response
    const note = <T>(value: T): T => {
      window.bench.answers.push({ url, at: performance.now() })
      return value
    }
    const text = response.text.bind(response)
    const json = response.json.bind(response)
    const bytes = response.arrayBuffer.bind(response)
    response.text = async () => note(await text())
    response.json = async () => note(await json())
    response.arrayBuffer = async () => note(await bytes())
    return response
  }
}

/**
 * How long the charts took to answer the last input: until anything is drawn, and until samples are drawn that were asked
 * for all that is shown; null = not yet.
 */
export function chartTimes(): { answerMs: number; dataMs: number } | null {
  const { inputMs, paints, answers } = window.bench
  const slider = document.querySelector('.plot[role=slider]')
  const [from, to] = ['min', 'max'].map((end) => Number(slider?.getAttribute(`aria-value${end}`)))
  const isOfThese = (url: string) => {
    const query = new URLSearchParams(url.split('?')[1])
    return Number(query.get('from')) <= from! && Number(query.get('to')) >= to!
  }
  const answer = answers.findLast(({ url, at }) => at >= inputMs && isOfThese(url))
  if (answer === undefined) return null
  const first = paints.find(({ begun, shown }) => begun >= inputMs && shown > 0)
  const data = paints.find(({ begun, shown }) => begun >= answer.at && shown > 0)
  if (first === undefined || data === undefined) return null
  return { answerMs: first.shown - inputMs, dataMs: data.shown - inputMs }
}

/** Counts frames, second by second. */
export function countFrames(): void {
  const begun = performance.now()
  window.benchFrames = []
  const count = (now: number) => {
    const second = Math.max(0, Math.floor((now - begun) / 1_000))
    while (window.benchFrames.length <= second) window.benchFrames.push(0)
    window.benchFrames[second]! += 1
    requestAnimationFrame(count)
  }
  requestAnimationFrame(count)
}

/** Notes how long each key in the search field takes until all rows hold what is searched for, where that was not so. */
export function noteRows(): void {
  window.benchRows = []
  let wanted = ''
  let keyMs = 0
  const holds = () => {
    const rows = [...document.querySelectorAll('table.runs .run-name')]
    return rows.length > 0 && rows.every(({ textContent }) => textContent?.includes(wanted))
  }
  const look = () => {
    if (wanted === '' || !holds()) return
    const key = keyMs
    wanted = ''
    requestAnimationFrame(() => {
      const channel = new MessageChannel()
      channel.port1.onmessage = () => window.benchRows.push({ key, shown: performance.now() })
      channel.port2.postMessage(null)
    })
  }
  addEventListener(
    'input',
    (event) => {
      keyMs = event.timeStamp
      wanted = (event.target as HTMLInputElement).value
      // It cannot be seen when rows that fit already are those that were asked for.
      if (holds()) wanted = ''
    },
    { capture: true },
  )
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true })
}
