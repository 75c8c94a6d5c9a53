// The style sheet's colours as the canvas needs them: resolved. A custom property's computed value is still
// the text `light-dark(…)`, so each is set as a colour of a hidden element and read back. In forced colours
// everything reads as the system's text colour; there, tints are left away and dashes and glyphs carry all.

export const colorNames = [
  'surface',
  'sunken',
  'line',
  'line-strong',
  'ink',
  'ink-2',
  'ink-3',
  'on-accent',
  'large',
  'large-tint',
  'anneal',
  'anneal-tint',
  'warm-tint',
  'human',
  'bad',
] as const
export type ColorName = (typeof colorNames)[number]
export type Palette = Readonly<Record<ColorName, string>> & { readonly font: string }

const fills: ReadonlySet<ColorName> = new Set(['large-tint', 'anneal-tint', 'warm-tint', 'sunken'])

/** Reads the palette in force; to be called again when the theme changes. */
export function readPalette(): Palette {
  const probe = document.createElement('span')
  probe.hidden = true
  document.body.append(probe)
  const forced = matchMedia('(forced-colors: active)').matches
  const colors = {} as Record<ColorName, string>
  for (const name of colorNames) {
    probe.style.color = forced && name === 'surface' ? 'Canvas' : `var(--${name})`
    colors[name] = forced && fills.has(name) ? 'transparent' : getComputedStyle(probe).color
  }
  probe.remove()
  return { ...colors, font: getComputedStyle(document.body).fontFamily }
}
