// The small menu in a chart's head: the chart as a picture, its table as a file. What makes the files is loaded when it
// is first asked for.

import { useSignal } from '@preact/signals'
import { useId, useRef } from 'preact/hooks'
import { Icon } from '../views/icons.tsx'
import type { FileKind } from './export/saveChart.ts'
import type { Frame } from './pen.ts'
import type { ChartSpec } from './spec.ts'

const choices: readonly { readonly kind: FileKind; readonly words: string }[] = [
  { kind: 'png', words: 'Picture (PNG)' },
  { kind: 'svg', words: 'Drawing (SVG)' },
  { kind: 'csv', words: 'Table (CSV)' },
]

export function ChartMenu(props: { spec: ChartSpec; frame: Frame; runId: string }) {
  const { spec } = props
  const id = useId()
  const list = useRef<HTMLDivElement>(null)
  const failure = useSignal<string | null>(null)
  const save = async (kind: FileKind) => {
    list.current?.hidePopover()
    failure.value = null
    try {
      const { saveChart } = await import('./export/saveChart.ts')
      await saveChart(kind, props)
    } catch {
      failure.value = 'The file could not be made.'
    }
  }
  /** Under its button, within the window: it lies above everything, so that no chart cuts it. */
  const place = (event: { readonly newState: string }) => {
    const button = list.current?.previousElementSibling
    if (event.newState !== 'open' || list.current === null || !(button instanceof HTMLElement)) return
    const { right, bottom } = button.getBoundingClientRect()
    const { offsetHeight, offsetWidth, style } = list.current
    style.left = `${Math.max(8, right - offsetWidth)}px`
    style.top = `${Math.min(bottom + 2, innerHeight - offsetHeight - 8)}px`
  }
  return (
    <>
      <button
        type="button"
        class="tool"
        popovertarget={id}
        aria-label={`Save ${spec.title}`}
        title="Save as PNG, SVG or CSV"
      >
        <Icon name="more" size={14} />
      </button>
      <div ref={list} id={id} popover="auto" class="save-menu" onToggle={place}>
        {choices.map(({ kind, words }) => (
          <button key={kind} type="button" onClick={() => void save(kind)}>
            {words}
          </button>
        ))}
      </div>
      {failure.value !== null && (
        <span role="alert" class="save-failure">
          {failure.value}
        </span>
      )}
    </>
  )
}
