// What stands in the place of the page while the server wants a token, or has no use for the one that is held.

import { useSignal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { checkToken } from '../../connection/api.ts'
import { forgetToken, heldToken, keepToken, refusal } from '../../connection/token.ts'
import { Failure } from '../failure.tsx'
import '../../style/access.css'

const titles: Readonly<Record<string, string>> = {
  'token-missing': 'This server demands a token',
  'token-expired': 'Your token has expired',
  'token-revoked': 'Your token was revoked',
  'token-invalid': 'This server does not know your token',
}

export function TokenGate() {
  const input = useRef<HTMLInputElement>(null)
  const secret = useSignal('')
  const keeps = useSignal(false)
  const failure = useSignal<string | null>(null)
  const busy = useSignal(false)
  useLayoutEffect(() => input.current?.focus(), [])
  const refused = refusal.value
  const title = refused === null ? 'This token cannot read runs' : (titles[refused.code] ?? refused.title)
  const enter = async (event: Event) => {
    event.preventDefault()
    const given = secret.value.trim()
    if (given === '') return
    busy.value = true
    const answer = await checkToken(given)
    busy.value = false
    if (!answer.ok) failure.value = answer.problem.detail
    else if (!keepToken(given, keeps.value ? 'browser' : 'tab'))
      failure.value = 'This browser keeps nothing for this page: allow it to store data of this site.'
    else location.reload()
  }
  return (
    <main class="page settings">
      <h1 class="page-title">{title}</h1>
      <form class="card gate" onSubmit={enter}>
        <p>
          Whoever runs the server makes one for you with{' '}
          <code class="mono">twostep token create NAME --scope read</code>.
        </p>
        <label for="token-field">Token</label>
        <input
          ref={input}
          id="token-field"
          type="password"
          autoComplete="off"
          spellcheck={false}
          value={secret.value}
          aria-invalid={failure.value !== null}
          onInput={(event) => (secret.value = event.currentTarget.value)}
        />
        <label>
          <input
            type="checkbox"
            checked={keeps.value}
            onChange={(event) => (keeps.value = event.currentTarget.checked)}
          />
          Keep it in this browser, not only for this tab
        </label>
        <p class="row-of">
          <button type="submit" class="button" disabled={busy.value}>
            Enter
          </button>
          {heldToken() !== null && (
            <button
              type="button"
              class="button button-quiet"
              onClick={() => {
                forgetToken()
                location.reload()
              }}
            >
              Forget the old one
            </button>
          )}
        </p>
        <Failure words={failure.value} />
      </form>
    </main>
  )
}
