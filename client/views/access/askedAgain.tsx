// The second question before something is taken away. A double click, or Enter pressed twice, is no answer to it: the second click
// of a double one does not count, and the harmless answer has the keyboard.

import { useEffect, useRef } from 'preact/hooks'

const once =
  (act: () => void) =>
  ({ detail }: MouseEvent) => {
    if (detail < 2) act()
  }

/** @param props.words on the button that does it */
export function AskedAgain(props: { words: string; sure: () => void; keep: () => void }) {
  const { words, sure, keep } = props
  const harmless = useRef<HTMLButtonElement>(null)
  useEffect(() => harmless.current?.focus(), [])
  return (
    <>
      <button type="button" class="button button-bad" onClick={once(sure)}>
        {words}
      </button>
      <button type="button" class="button button-quiet" ref={harmless} onClick={once(keep)}>
        Keep it
      </button>
    </>
  )
}
