// What "/" shows while there is no run, and /start at any time: how to connect a job. It is loaded when it is needed.

import { lazyView } from './lazyView.tsx'

export const ConnectJob = lazyView(async () => (await import('./connect/connectPage.tsx')).ConnectPage)
