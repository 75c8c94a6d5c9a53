// The head of a table of the settings.

/** @param hasActions whether a last column has buttons, and so a title that is heard alone */
export function SettingsHead({
  titles,
  hasActions = false,
}: {
  titles: readonly string[]
  hasActions?: boolean
}) {
  return (
    <thead>
      <tr>
        {titles.map((title) => (
          <th key={title} scope="col">
            {title}
          </th>
        ))}
        {hasActions && (
          <th scope="col">
            <span class="visually-hidden">Actions</span>
          </th>
        )}
      </tr>
    </thead>
  )
}
