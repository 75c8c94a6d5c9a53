// The one cursor of all charts: a step, or nothing while the pointer is elsewhere.

import { signal } from '@preact/signals'

export const cursorStep = signal<number | null>(null)
