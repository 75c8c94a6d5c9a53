// A secret that was made just now: it is shown this once, with a way to copy it.

import { useSignal } from '@preact/signals'
import { copyText } from '../copy.ts'

/** Whose secret it is. */
export type Made = { readonly name: string; readonly secret: string }

/** @param props.made null = nothing yet; the place is there from the start, so that what comes is told
 *  @param props.note why now */
export function NewSecret(props: { made: Made | null; note: string }) {
  const { made, note } = props
  return <div role="status">{made !== null && <Secret key={made.secret} {...made} note={note} />}</div>
}

function Secret(props: Made & { note: string }) {
  const { name, secret, note } = props
  const copied = useSignal('')
  const copy = async () => {
    copied.value = (await copyText(secret)) ? 'Copied.' : 'Copying is not allowed here; select it instead.'
  }
  return (
    <div class="secret">
      <p>
        <b>Copy it now.</b> {name}: {note}
      </p>
      <p class="row-of">
        <code class="mono">{secret}</code>
        <button type="button" class="button" onClick={copy}>
          Copy
        </button>
        <span>{copied.value}</span>
      </p>
    </div>
  )
}

/** What was made last, beside the list that it is then part of.
 *  @param load reads that list anew */
export function useMade(load: () => Promise<void>) {
  const made = useSignal<Made | null>(null)
  const show = (next: Made) => {
    made.value = next
    return load()
  }
  return { made: made.value, show }
}
