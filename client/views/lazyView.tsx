// A view that is loaded when it is first shown, so that the pages of runs stay small. Where it cannot be loaded (a newer
// version was installed meanwhile, or the server is gone) the page says so, with the way out.

import { signal } from '@preact/signals'
import type { ComponentType } from 'preact'

export function lazyView<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
): ComponentType<Props> {
  const view = signal<{ readonly shown: ComponentType<Props> } | null>(null)
  const failed = signal(false)
  let isAsked = false
  const ask = async () => {
    try {
      view.value = { shown: await load() }
    } catch {
      failed.value = true
    }
  }
  return function Lazy(props: Props) {
    if (!isAsked) {
      isAsked = true
      void ask()
    }
    const Shown = view.value?.shown
    if (Shown !== undefined) return <Shown {...props} />
    return (
      <main class="page">
        <section class="card empty">
          {failed.value ? (
            <p role="alert">
              This part of the page could not be loaded.{' '}
              <button type="button" class="link" onClick={() => location.reload()}>
                Reload
              </button>
            </p>
          ) : (
            <p>Loading…</p>
          )}
        </section>
      </main>
    )
  }
}
