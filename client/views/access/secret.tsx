// A secret that is shown this once, with a way to copy it.

import { useSignal } from '@preact/signals'
import { copyText } from '../copy.ts'

/** @param props.note why now */
export function Secret(props: { name: string; secret: string; note: string }) {
  const { name, secret, note } = props
  const copied = useSignal('')
  const copy = async () => {
    copied.value = (await copyText(secret)) ? 'Copied.' : 'Copying is not allowed here; select it instead.'
  }
  return (
    <div class="secret" role="status">
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
