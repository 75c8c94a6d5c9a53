// Panels that have nothing to show take one line together: what is not measured, with what would bring it, and what was
// closed, with a way back.

import type { ChartSpec } from './spec.ts'

export function FoldedPanels(props: {
  missing: readonly ChartSpec[]
  closed: readonly ChartSpec[]
  reopen: (id: string) => void
}) {
  const { missing, closed, reopen } = props
  if (missing.length === 0 && closed.length === 0) return null
  return (
    <div class="folded">
      {missing.length > 0 && (
        <details>
          <summary>
            <span>
              Not measured: <b>{missing.map(({ title }) => title).join(', ')}</b>
            </span>{' '}
            <span class="link">How</span>
          </summary>
          <dl>
            {missing.map(({ id, title, missing: why, how }) => (
              <div key={id}>
                <dt>{title}</dt>
                <dd>
                  {why} {how}
                </dd>
              </div>
            ))}
          </dl>
        </details>
      )}
      {closed.length > 0 && (
        <p>
          Closed:{' '}
          {closed.map(({ id, title }) => (
            <button key={id} type="button" class="link" onClick={() => reopen(id)}>
              {`Show ${title}`}
            </button>
          ))}
        </p>
      )}
    </div>
  )
}
