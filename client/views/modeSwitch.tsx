// How far decisions reach, as a group of which one is chosen. Choosing another opens a form that says what it means and asks
// why: until that is sent the mode stays what it is. Arrow keys move between them without choosing, as a choice has effects.

import { useRef } from 'preact/hooks'
import type { Mode, RunSummary } from '../../protocol/vocabulary.ts'
import { changeRunAddress } from '../state/address.ts'
import { whyNot } from './control/possible.ts'
import { modeTitle } from './words.ts'

/** Of the closed list, in the order of how far they reach; a run that is only watched has that one, too. */
const modesOf = (run: RunSummary): readonly Mode[] =>
  (['advisory', 'approve', 'auto', 'off'] as const).filter((mode) => mode !== 'off' || run.mode === 'off')

export function ModeSwitch(props: { run: RunSummary }) {
  const { run } = props
  const buttons = useRef(new Map<Mode, HTMLButtonElement>())
  const why = whyNot(run, 'mode')
  const shown = modesOf(run)
  const move = (from: Mode, by: number) => {
    const next = shown[(shown.indexOf(from) + by + shown.length) % shown.length]!
    buttons.current.get(next)?.focus()
  }
  const open = (mode: Mode) => {
    if (mode !== run.mode && mode !== 'off') changeRunAddress({ panel: 'control', form: `mode-${mode}` })
  }
  return (
    <div class="mode" role="radiogroup" aria-label="Mode" title={why ?? undefined}>
      {shown.map((mode) => (
        // biome-ignore lint/a11y/useSemanticElements: an arrow key on a native radio would choose, and a choice has effects.
        <button
          key={mode}
          type="button"
          role="radio"
          aria-checked={mode === run.mode}
          tabIndex={mode === run.mode ? 0 : -1}
          disabled={why !== null && mode !== run.mode}
          ref={(element) => {
            if (element === null) buttons.current.delete(mode)
            else buttons.current.set(mode, element)
          }}
          onClick={() => open(mode)}
          onKeyDown={(event) => {
            const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key]
            if (by === undefined) return
            event.preventDefault()
            move(mode, by)
          }}
        >
          {modeTitle[mode]}
        </button>
      ))}
    </div>
  )
}
