// Single keys, heard from the moment in which their view stands. They never fire in fields, with a modifier held,
// or while the key list is open. Escape is no character, so it closes a form from within its fields too.

import { useLayoutEffect, useRef } from 'preact/hooks'
import { singleKeys } from '../state/singleKeys.ts'
import { keyListOpen } from './keyList.tsx'

export type KeyMap = Readonly<Record<string, () => void>>

/** A second key must follow `g` within this time, in milliseconds. */
const chordMs = 1_000

/** A box, a choice or a slider writes nothing: a letter pressed there is for the view. */
const writing = 'input:not([type=checkbox], [type=radio], [type=range]), textarea, select, [contenteditable]'

/** Whether keys typed on this element are text, or mean something to the element itself. */
function takesText(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.closest(writing) !== null
}

/**
 * Listens until the returned function is called. Keys are named as the browser does ("j", "Enter"), with
 * "Shift+" before them where Shift is held and the key is a letter, and "g r" for a chord.
 */
function listenKeys(keys: () => KeyMap): () => void {
  let chordAt = Number.NEGATIVE_INFINITY
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
    if (keyListOpen.peek() || (takesText(event.target) && event.key !== 'Escape')) return
    // Switched off, no key that writes a character does anything; Escape still closes.
    if (!singleKeys.peek() && event.key.length === 1) return
    const letter = event.key.length === 1 ? event.key.toLowerCase() : event.key
    const shifted = event.shiftKey && /^[a-z]$/.test(letter) ? `Shift+${letter}` : letter
    const chord = event.timeStamp - chordAt < chordMs ? `g ${letter}` : null
    chordAt = letter === 'g' ? event.timeStamp : Number.NEGATIVE_INFINITY
    const map = keys()
    // The second key of a chord is that chord's alone, whichever view has it: `g r` is no `r`.
    const action = map[chord ?? shifted]
    if (action === undefined) return
    event.preventDefault()
    action()
  }
  addEventListener('keydown', onKey)
  return () => removeEventListener('keydown', onKey)
}

/**
 * The keys of a view. They are listened to before its first picture and always mean what was drawn last: an effect
 * after the picture would leave a moment, long on a busy machine, in which a key goes nowhere or to the view before.
 */
export function useKeys(keys: KeyMap): void {
  const latest = useRef(keys)
  latest.current = keys
  useLayoutEffect(() => listenKeys(() => latest.current), [])
}
