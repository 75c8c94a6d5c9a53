// A sentence of the server's with its words tinted. The pieces are text nodes: data never becomes markup.

import { tintSentence } from './tint.ts'

export function Sentence(props: { text: string }) {
  return (
    <>
      {tintSentence(props.text).map(({ text, tint }, index) =>
        tint === 'plain' ? (
          text
        ) : (
          <b key={`${index}-${tint}`} class={`tint-${tint}`}>
            {text}
          </b>
        ),
      )}
    </>
  )
}
