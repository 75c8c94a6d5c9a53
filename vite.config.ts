// Builds the page from client/ to dist/client. The page runs under a policy of `default-src 'self'`, so nothing
// may be inlined: no data: scripts, no style elements, no preload polyfill. JSX goes through vite's own
// transformer. In development the API and the live socket are passed on to a server on its usual port.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

const server = `http://127.0.0.1:${process.env.TWOSTEP_PORT ?? 7317}`

// Few files of code: a small file compresses badly (forty of them were a seventh larger than one). Each group takes what its
// modules import and no group above it has taken; what the list and a run both show is in the first. The socket's code
// comes by itself, after the first answers. The gallery begins as the page does, so that styles come in the same order.
const both = '(gallery/)?main|views/(format|notes|sentence|stateChip|tint|words)|charts/smallPictures'
const groups = [
  { name: 'page', test: new RegExp(`client/(${both})\\.`), priority: 4 },
  { name: 'runs', test: /client\/views\/runsPage\./, priority: 3 },
  { name: 'run', test: /client\/views\/runPage\./, priority: 2 },
  { name: 'more', test: /client\/(views|charts)\//, priority: 1 },
]

/** Beside each file of code its form as brotli at its best, a tenth smaller than what a server has time for at each request. */
const compressed: Plugin = {
  name: 'compressed-code',
  // As they lie on disk: until then other plugins still write in them.
  writeBundle({ dir = '' }) {
    const assets = join(dir, 'assets')
    for (const name of readdirSync(assets).filter((name) => /\.(js|css)$/.test(name)))
      writeFileSync(join(assets, `${name}.br`), brotliCompressSync(readFileSync(join(assets, name))))
  },
}

export default defineConfig({
  plugins: [compressed],
  root: 'client',
  // The server may stand under a path of its host: code finds other files beside itself, and where the page finds its
  // first ones the server writes into it (server/http/page.ts).
  experimental: {
    renderBuiltUrl: (name, { hostType }) => (hostType === 'html' ? `/${name}` : { relative: true }),
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../dist/client',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    rolldownOptions: { output: { codeSplitting: { groups } } },
  },
  server: {
    host: '127.0.0.1',
    proxy: { '/api': server, '/socket.io': { target: server, ws: true } },
  },
})
