// A run's name, project and tags. They change nothing of the run, so no reason is asked for.

import { useSignal } from '@preact/signals'
import type { RunSummary } from '../../../protocol/vocabulary.ts'
import { type RunChange, sendChange } from '../../connection/api.ts'
import { doneOutcome, type Outcome, OutcomeWords, TextField } from '../formParts.tsx'
import { closeForm } from './confirmForm.tsx'

type Fields = { readonly name: string; readonly project: string; readonly tags: string }

/** Tags behind a text with commas between them, each once. */
export const tagsOf = (text: string): readonly string[] => [
  ...new Set(
    text
      .split(',')
      .map((tag) => tag.trim())
      .filter((tag) => tag !== ''),
  ),
]

/** What the fields change; an empty name or project is no change, and told beside its field. */
export function detailsChange({ name, project, tags }: Fields, run: RunSummary): RunChange {
  const { options } = run
  const wanted = tagsOf(tags)
  return {
    ...(name.trim() === options.name ? {} : { name: name.trim() }),
    ...(project.trim() === options.project ? {} : { project: project.trim() }),
    ...(wanted.join(',') === options.tags.join(',') ? {} : { tags: wanted }),
  }
}

export function DetailsForm(props: { run: RunSummary }) {
  const { run } = props
  const name = useSignal(run.options.name)
  const project = useSignal(run.options.project)
  const tags = useSignal(run.options.tags.join(', '))
  const busy = useSignal(false)
  const outcome = useSignal<Outcome>(null)
  const change = detailsChange({ name: name.value, project: project.value, tags: tags.value }, run)
  const isEmpty = name.value.trim() === '' || project.value.trim() === ''
  const submit = async (event: Event) => {
    event.preventDefault()
    if (isEmpty) return
    busy.value = true
    outcome.value = doneOutcome(await sendChange(run.id, change), 'Kept.')
    busy.value = false
  }
  const empty = (text: string, what: string) =>
    text.trim() === '' ? `${what} must not be empty.` : undefined
  return (
    <form class="panel form" onSubmit={submit} noValidate>
      <h2>Name, project and tags</h2>
      <TextField
        label="Name"
        hint="up to 128 characters"
        value={name.value}
        change={(text) => (name.value = text)}
        error={empty(name.value, 'Name')}
        focus
      />
      <TextField
        label="Project"
        hint="up to 128 characters"
        value={project.value}
        change={(text) => (project.value = text)}
        error={empty(project.value, 'Project')}
      />
      <TextField
        label="Tags"
        hint="commas between them"
        value={tags.value}
        change={(text) => (tags.value = text)}
      />
      <p class="row-of">
        <button
          type="submit"
          class="button button-human"
          disabled={busy.value || isEmpty || Object.keys(change).length === 0}
        >
          Keep these
        </button>
        <button type="button" class="button button-quiet" onClick={closeForm}>
          Close
        </button>
      </p>
      <OutcomeWords outcome={outcome.value} />
    </form>
  )
}
