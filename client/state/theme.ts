// Light, dark, or as the system has it. The choice is kept in the browser; where storage is refused it holds
// for this visit only. `paletteVersion` grows when colours change, so that canvases paint again.

import { signal } from '@preact/signals'

export const themes = ['system', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

const key = 'twostep.theme'
export const theme = signal<Theme>('system')
export const paletteVersion = signal(0)

/** The theme after this one, for a button that goes round. */
export function themeAfter(current: Theme): Theme {
  return themes[(themes.indexOf(current) + 1) % themes.length]!
}

function show(next: Theme): void {
  if (next === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = next
  theme.value = next
  paletteVersion.value += 1
}

export function chooseTheme(next: Theme): void {
  show(next)
  try {
    localStorage.setItem(key, next)
  } catch {
    // Storage may be switched off; the choice then holds for this visit.
  }
}

export function startTheme(): void {
  let kept: string | null = null
  try {
    kept = localStorage.getItem(key)
  } catch {
    // As above: without storage the system's theme holds.
  }
  show(themes.find((name) => name === kept) ?? 'system')
  for (const query of ['(prefers-color-scheme: dark)', '(forced-colors: active)'])
    matchMedia(query).addEventListener('change', () => {
      paletteVersion.value += 1
    })
}
