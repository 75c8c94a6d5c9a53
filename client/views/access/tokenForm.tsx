// A new token: whose it is, what it allows, for which project and how long.

import { useSignal } from '@preact/signals'
import { type Scope, scopes } from '../../../protocol/vocabulary.ts'
import { sendToken } from '../../connection/api.ts'
import { Failure } from '../failure.tsx'
import { CheckList, SelectField, TextField } from '../formParts.tsx'
import type { Made } from './secret.tsx'

const scopeWords: Readonly<Record<Scope, string>> = {
  read: 'read: see runs',
  write: 'write: report runs, for jobs',
  control: 'control: steer, rename and delete runs',
  admin: 'admin: everything, tokens too',
}
const dayMs = 86_400_000
const lives = [
  ['', 'never'],
  ['7', 'in 7 days'],
  ['30', 'in 30 days'],
  ['90', 'in 90 days'],
  ['365', 'in a year'],
] as const

export function TokenForm(props: { done: (made: Made) => void }) {
  const name = useSignal('')
  const project = useSignal('')
  const held = useSignal<readonly Scope[]>(['read'])
  const days = useSignal<(typeof lives)[number][0]>('90')
  const failure = useSignal<string | null>(null)
  const busy = useSignal(false)
  const submit = async (event: Event) => {
    event.preventDefault()
    busy.value = true
    const answer = await sendToken({
      name: name.value.trim(),
      scopes: held.value,
      project: project.value.trim() === '' ? null : project.value.trim(),
      expiresAt: days.value === '' ? null : new Date(Date.now() + Number(days.value) * dayMs).toISOString(),
    })
    busy.value = false
    failure.value = answer.ok ? null : answer.problem.detail
    if (!answer.ok) return
    props.done({ name: answer.value.token.name, secret: answer.value.secret })
    name.value = ''
  }
  return (
    <form class="form token-form" onSubmit={submit} noValidate>
      <h3>A new token</h3>
      <TextField label="Name" hint="whose it is" value={name.value} change={(text) => (name.value = text)} />
      <CheckList
        legend="May"
        items={scopes}
        words={scopeWords}
        chosen={held.value}
        change={(chosen) => (held.value = chosen)}
      />
      <TextField
        label="Project"
        hint="empty: all of them"
        value={project.value}
        change={(text) => (project.value = text)}
      />
      <SelectField
        id="token-life"
        label="Expires"
        items={lives}
        value={days.value}
        change={(value) => (days.value = value)}
      />
      <p class="row-of">
        <button
          type="submit"
          class="button"
          disabled={busy.value || name.value.trim() === '' || held.value.length === 0}
        >
          Make the token
        </button>
      </p>
      <Failure words={failure.value} />
    </form>
  )
}
