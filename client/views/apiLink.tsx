// A link to something of the API. A link carries no token: where the page holds one, what is behind the link is fetched
// with it, and given to the browser as a file.

import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { authorization, heldToken } from '../connection/token.ts'

type ApiLinkProps = {
  readonly href: string
  /** Of the file. */
  readonly name: string
  readonly class?: string
  /** Absent = it is saved. */
  readonly target?: '_blank'
  readonly children: ComponentChildren
}

export function ApiLink(props: ApiLinkProps) {
  const { href, name, target } = props
  const failure = useSignal('')
  const fetchFile = async () => {
    try {
      const response = await fetch(href, { headers: authorization() })
      if (!response.ok) throw new Error(`The server answered with status ${response.status}.`)
      const { download } = await import('../charts/export/saveChart.ts')
      download(await response.blob(), name)
      failure.value = ''
    } catch (error) {
      failure.value = (error as Error).message
    }
  }
  return (
    <>
      <a
        class={props.class}
        href={href}
        download={target === undefined ? name : undefined}
        target={target}
        rel="noreferrer"
        onClick={(event) => {
          if (heldToken() === null) return
          event.preventDefault()
          void fetchFile()
        }}
      >
        {props.children}
      </a>
      {failure.value !== '' && <span role="alert">{failure.value}</span>}
    </>
  )
}
