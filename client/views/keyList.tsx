// The list of keys (`?`), as a native dialog: it takes the focus, closes with Escape, and gives it back.

import { signal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { formatAddress } from '../state/address.ts'
import { singleKeys } from '../state/singleKeys.ts'
import { Icon } from './icons.tsx'

export const keyListOpen = signal(false)

const groups: readonly { title: string; keys: readonly (readonly [string, string])[] }[] = [
  {
    title: 'Everywhere',
    keys: [
      ['?', 'This list'],
      ['g r', 'Runs'],
      ['g s', 'Settings'],
      ['Esc', 'Close, then back to live'],
    ],
  },
  {
    title: 'Runs',
    keys: [
      ['/', 'Search'],
      ['j', 'Next run'],
      ['k', 'Previous run'],
      ['Enter', 'Open'],
      ['x', 'Pick'],
      ['c', 'Compare what is picked'],
      ['p', 'Pin to the top'],
      ['b', 'Hold the others against it'],
    ],
  },
  {
    title: 'Run',
    keys: [
      ['j', 'Next decision'],
      ['k', 'Previous decision'],
      ['Shift j k', 'Holds too'],
      ['l', 'Back to live'],
      ['w', 'What if'],
      ['e', 'Schedule as code'],
      ['o', 'Override rate'],
      ['a', 'To the answer that approves'],
      ['r', 'To the answer that rejects'],
      ['+ -', 'Zoom in and out'],
      ['0', 'Zoom out to the whole run'],
    ],
  },
  {
    title: 'In a chart',
    keys: [
      ['← →', 'Cursor to the next decision'],
      ['Shift ← →', 'One bucket'],
      ['Home End', 'To the ends'],
      ['Enter', 'Open the decision'],
      ['Alt ← →', 'Move along the run'],
      ['v', 'Table of the chart'],
    ],
  },
]

export function KeyList() {
  const dialog = useRef<HTMLDialogElement>(null)
  const open = keyListOpen.value
  useLayoutEffect(() => {
    const element = dialog.current
    if (open && !element?.open) element?.showModal()
    if (!open && element?.open) element.close()
  }, [open])
  const close = () => {
    keyListOpen.value = false
  }
  return (
    <dialog ref={dialog} class="keys" aria-labelledby="keys-title" onCancel={close} onClose={close}>
      <div class="keys-head">
        <h2 id="keys-title">Keyboard shortcuts</h2>
        <button type="button" class="icon-button" aria-label="Close" onClick={close}>
          <Icon name="close" size={16} />
        </button>
      </div>
      {!singleKeys.value && (
        <p class="sub">
          Single keys are switched off in the{' '}
          <a href={formatAddress({ page: 'settings', part: 'server' })}>settings</a>: of these only those in a
          chart and Esc do something.
        </p>
      )}
      <div class="keys-groups">
        {groups.map(({ title, keys }) => (
          <section key={title}>
            <h3>{title}</h3>
            <dl>
              {keys.map(([key, words]) => (
                <div key={key}>
                  <dt>
                    {key.split(' ').map((part) => (
                      <kbd key={part}>{part}</kbd>
                    ))}
                  </dt>
                  <dd>{words}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </dialog>
  )
}
