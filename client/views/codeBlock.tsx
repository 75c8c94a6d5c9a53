// Code to read and to take away: Copy, and Download where it is a file of the server's. Long texts are shown in part, and
// taken away whole.

import { useSignal } from '@preact/signals'
import { formatPlural } from '../../protocol/numbers.ts'
import { ApiLink } from './apiLink.tsx'
import { copyText } from './copy.ts'
import '../style/code.css'

type CodeProps = {
  readonly text: string
  /** The file's name, where it can be downloaded. */
  readonly name?: string
  readonly href?: string
  readonly linesMax?: number
  /** Lines that are to stand out. */
  readonly marks?: (line: string) => boolean
}

export function CodeBlock(props: CodeProps) {
  const { text, name, href, linesMax = Number.POSITIVE_INFINITY, marks } = props
  const copied = useSignal('')
  const lines = text.replace(/\n$/, '').split('\n')
  const shown = lines.slice(0, linesMax)
  const copy = async () => {
    copied.value = (await copyText(text))
      ? 'Copied.'
      : 'Copying is not allowed here; select the text instead.'
  }
  return (
    <div class="code-block">
      <p class="row-of">
        <button type="button" class="button" onClick={copy}>
          Copy
        </button>
        {href !== undefined && (
          <ApiLink class="button" href={href} name={name ?? 'file'}>
            Download
          </ApiLink>
        )}
        <span role="status">{copied.value}</span>
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, and must be reachable by keyboard. */}
      <pre class="code" tabIndex={0}>
        <code>
          {marks === undefined
            ? shown.join('\n')
            : shown.map((line, i) => (
                <span key={i} class={marks(line) ? 'marked' : undefined}>
                  {`${line}\n`}
                </span>
              ))}
        </code>
      </pre>
      {lines.length > shown.length && (
        <p class="sub">
          {formatPlural(lines.length - shown.length, 'more line')} in the file; they are copied and downloaded
          as well.
        </p>
      )}
    </div>
  )
}
