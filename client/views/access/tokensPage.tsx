// Tokens of the server: which there are, what they allow, when they were last used; made, rotated and revoked by an admin.

import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Token } from '../../../protocol/vocabulary.ts'
import { fetchTokens, sendRevoke, sendRotate } from '../../connection/api.ts'
import { forgetToken, heldToken } from '../../connection/token.ts'
import { access, may } from '../../state/access.ts'
import { Failure } from '../failure.tsx'
import { AskedAgain } from './askedAgain.tsx'
import { NewSecret, useMade } from './secret.tsx'
import { SettingsTable } from './settingsTable.tsx'
import { timeAgo } from './times.ts'
import { TokenForm } from './tokenForm.tsx'

export function TokensPage() {
  return (
    <>
      <YourToken />
      {may('admin') && access.value !== null && <TokenList />}
    </>
  )
}

function YourToken() {
  const known = access.value
  if (known === null) return null
  const { caller, isRequired } = known
  const scopes = caller?.scopes.join(', ') ?? ''
  const project = caller?.project == null ? '' : ` of the project ${caller.project}`
  const until = caller?.expiresAt == null ? '' : ` It expires on ${caller.expiresAt.slice(0, 10)}.`
  return (
    <section class="card" aria-labelledby="your-token">
      <h2 id="your-token">Your token</h2>
      {heldToken() === null ? (
        <p>{isRequired ? 'None.' : 'On this computer no token is needed.'}</p>
      ) : (
        <>
          <p>
            <b>{caller?.name}</b> allows {scopes}
            {project}.{until}
          </p>
          <p class="row-of">
            <button
              type="button"
              class="button"
              onClick={() => {
                forgetToken()
                location.reload()
              }}
            >
              Forget it here
            </button>
          </p>
        </>
      )}
      {!may('admin') && <p class="sub">Other tokens are shown to the scope admin alone.</p>}
    </section>
  )
}

function TokenList() {
  const tokens = useSignal<readonly Token[] | null>(null)
  const failure = useSignal<string | null>(null)
  const load = async () => {
    const answer = await fetchTokens()
    failure.value = answer.ok ? null : answer.problem.detail
    if (answer.ok) tokens.value = answer.value.tokens.filter(({ state }) => state === 'active')
  }
  useEffect(() => void load(), [])
  const { made, show } = useMade(load)
  const revoke = async (token: Token) => {
    const answer = await sendRevoke(token.id)
    if (answer.ok) await load()
    else failure.value = answer.problem.detail
  }
  const rotate = async (token: Token) => {
    const answer = await sendRotate(token.id)
    failure.value = answer.ok ? null : answer.problem.detail
    if (answer.ok) await show({ name: token.name, secret: answer.value.secret })
  }
  return (
    <section class="card" aria-labelledby="all-tokens">
      <h2 id="all-tokens">Tokens</h2>
      <NewSecret made={made} note="it is stored hashed and cannot be shown again." />
      <Failure words={failure.value} />
      <SettingsTable
        titles={['Name', 'May', 'Last used', 'Expires']}
        rows={tokens.value?.map((token) => ({
          id: token.id,
          cells: [
            token.name,
            `${token.scopes.join(', ')}${token.project === null ? '' : ` · ${token.project}`}`,
            token.lastUsedAt === null ? 'never' : timeAgo(token.lastUsedAt, Date.now()),
            token.expiresAt?.slice(0, 10) ?? 'never',
          ],
          acts: <TokenActs token={token} revoke={revoke} rotate={rotate} />,
        }))}
        none="There are none."
      />
      <TokenForm done={show} />
    </section>
  )
}

type Act = (token: Token) => Promise<void>

function TokenActs(props: { token: Token; revoke: Act; rotate: Act }) {
  const { token, revoke, rotate } = props
  /** What is asked about once more: both take a token away from who uses it. */
  const asked = useSignal<'revoke' | 'rotate' | null>(null)
  const wish = asked.value
  return wish === null ? (
    <>
      <button type="button" class="button" onClick={() => (asked.value = 'rotate')}>
        Rotate…
      </button>
      <button type="button" class="button" onClick={() => (asked.value = 'revoke')}>
        Revoke…
      </button>
    </>
  ) : (
    <AskedAgain
      words={wish === 'revoke' ? 'Revoke it' : 'Replace it'}
      keep={() => (asked.value = null)}
      sure={() => {
        asked.value = null
        void (wish === 'revoke' ? revoke : rotate)(token)
      }}
    />
  )
}
