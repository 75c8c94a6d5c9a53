// Which rows of a long table are in view: only those, and some beyond both edges, are in the document; two spacers hold
// the place of the others. Rows have one height, so that the place of each is known without having been drawn.

import { useLayoutEffect, useState } from 'preact/hooks'

/** Tables of fewer rows are drawn whole: then the browser's own search finds all. */
export const wholeRowsMax = 100
/** Rows beyond each edge of the view, so that a turn of the wheel meets rows. */
const beyond = 4

export type RowWindow = { readonly from: number; readonly to: number }

/** Rows from `from` up to `to`, of a table that begins `topPx` above (below 0: under) the top of the view. */
export function rowsInView(view: {
  readonly count: number
  readonly rowPx: number
  /** Whether there are more than are loaded: then it is a long table. */
  readonly more?: boolean
  readonly topPx: number
  readonly heightPx: number
}): RowWindow {
  const { count, rowPx, more = false, topPx, heightPx } = view
  if (count <= wholeRowsMax && !more) return { from: 0, to: count }
  const first = Math.floor(-topPx / rowPx) - beyond
  const last = Math.ceil((heightPx - topPx) / rowPx) + beyond
  const from = Math.min(Math.max(0, first), Math.max(0, count - 1))
  return { from, to: Math.min(count, Math.max(from + 1, last)) }
}

/** The rows to draw of the table body, which follow the window as it scrolls. */
export function useRowWindow(
  body: { readonly current: HTMLElement | null },
  table: { readonly count: number; readonly rowPx: number; readonly more: boolean },
): RowWindow {
  const measure = () =>
    rowsInView({
      ...table,
      topPx: body.current?.getBoundingClientRect().top ?? 0,
      heightPx: innerHeight,
    })
  const [, draw] = useState('')
  useLayoutEffect(() => {
    const look = () => {
      const { from, to } = measure()
      draw(`${from} ${to}`)
    }
    look()
    addEventListener('scroll', look, { passive: true })
    addEventListener('resize', look)
    return () => {
      removeEventListener('scroll', look)
      removeEventListener('resize', look)
    }
  }, [table.count, table.rowPx, table.more])
  return measure()
}
