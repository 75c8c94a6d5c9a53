// What failed, in words, told at once to whoever cannot see it.

/** @param props.words null = nothing has failed */
export function Failure(props: { words: string | null }) {
  if (props.words === null) return null
  return (
    <p class="outcome outcome-bad" role="alert">
      {props.words}
    </p>
  )
}
