// A view that is loaded when it is first shown, so that the first picture of the page is not kept waiting for what few
// look at. What has been loaded once is shown at once.

import { useSignal } from '@preact/signals'
import type { ComponentType } from 'preact'
import { useLayoutEffect } from 'preact/hooks'

/** @param load brings the view: a dynamic import, so that it becomes a file of its own */
export function lazyView<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
): ComponentType<Props> {
  let known: ComponentType<Props> | null = null
  return function LazyView(props: Props) {
    const state = useSignal<'loading' | 'ready' | 'failed'>(known === null ? 'loading' : 'ready')
    useLayoutEffect(() => {
      if (known !== null) return
      let gone = false
      load().then(
        (view) => {
          known = view
          if (!gone) state.value = 'ready'
        },
        () => {
          if (!gone) state.value = 'failed'
        },
      )
      return () => {
        gone = true
      }
    }, [state])
    const View = known
    if (state.value === 'ready' && View !== null) return <View {...props} />
    if (state.value === 'loading') return <p class="panel sub">Loading…</p>
    return (
      <p class="panel" role="alert">
        This part of the page could not be loaded.{' '}
        <button type="button" class="link" onClick={() => location.reload()}>
          Load the page anew
        </button>
      </p>
    )
  }
}
