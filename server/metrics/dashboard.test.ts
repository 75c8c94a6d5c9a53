// The dashboard and the guide name metrics that there are.

import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { packagePath } from '../cli/place.ts'
import { createMetrics } from './metrics.ts'

test.each(['docs/guides/grafana.json', 'docs/guides/monitoring.md'])(
  '%s asks for what is measured',
  async (path) => {
    const metrics = createMetrics(true)
    metrics.watch({
      sockets: () => 0,
      waiting: () => 0,
      phases: () => new Map(),
      states: async () => [],
      databaseFile: 'none',
    })
    const text = await metrics.text()
    const known = new Set([...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name))
    const named = [
      ...readFileSync(packagePath(path), 'utf8').matchAll(
        /\b(?:twostep|process|nodejs)_[a-z_0-9]*[a-z0-9]\b/g,
      ),
    ]
    expect(named.length).toBeGreaterThan(8)
    for (const [name] of named) expect(known, name).toContain(name.replace(/_bucket$/, ''))
  },
)
