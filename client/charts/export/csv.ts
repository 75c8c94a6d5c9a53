// A chart's table as comma-separated values (RFC 4180): a row for every bucket of the window, numbers in full, nothing where
// there is no value.

import type { ChartSpec } from '../spec.ts'

/** A text that a spreadsheet would take for a formula is marked as text. */
function field(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

export function csvOf({ columns, fileSteps }: Pick<ChartSpec, 'columns' | 'fileSteps'>): string {
  const head = ['step', ...columns.map(({ title }) => title)].map(field)
  const rows = fileSteps.map((step) => [step, ...columns.map(({ value }) => value(step) ?? '')])
  return `${[head, ...rows].map((row) => row.join(',')).join('\r\n')}\r\n`
}
