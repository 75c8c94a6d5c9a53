// Tabs, of which one is chosen. Arrow keys go from one to the next, round, and choose it.

import { useSignal } from '@preact/signals'

type TabsProps<Name extends string> = {
  readonly label: string
  /** Of the ids: `tab-…` here, `panel-…` of what they open. */
  readonly idOf: (name: Name, part: 'tab' | 'panel') => string
  readonly tabs: readonly (readonly [Name, string])[]
  readonly chosen: Name | null
  readonly choose: (name: Name) => void
}

export function Tabs<Name extends string>(props: TabsProps<Name>) {
  const { tabs, chosen, choose, idOf } = props
  const focusNext = useSignal(false)
  return (
    <div class="tabs" role="tablist" aria-label={props.label}>
      {tabs.map(([name, title], index) => {
        const selected = name === chosen
        return (
          <button
            key={name}
            type="button"
            role="tab"
            id={idOf(name, 'tab')}
            aria-selected={selected}
            aria-controls={selected ? idOf(name, 'panel') : undefined}
            tabIndex={selected ? 0 : -1}
            ref={(element) => {
              if (element !== null && selected && focusNext.peek()) {
                focusNext.value = false
                element.focus()
              }
            }}
            onClick={() => choose(name)}
            onKeyDown={(event) => {
              const by = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
              if (by === 0) return
              focusNext.value = true
              choose(tabs[(index + by + tabs.length) % tabs.length]![0])
            }}
          >
            {title}
          </button>
        )
      })}
    </div>
  )
}
