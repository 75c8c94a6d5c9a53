// The built page: one HTML file for every address of the page, hashed assets that never change, and headers
// that let it do nothing but talk to this server.

import { existsSync, readdirSync } from 'node:fs'
import { extname, join } from 'node:path'
import express, { type Express, type RequestHandler } from 'express'
import { ServerError } from '../errors.ts'

const pageAddresses = ['/', '/runs/*rest', '/start', '/compare', '/settings', '/settings/*rest']
const yearMilliseconds = 365 * 24 * 3_600_000

const contentPolicyBut = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  // The live socket too: its address has the page's own host and port.
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  'frame-ancestors',
].join('; ')

/** @param embedOrigins whose pages may show a run in a frame, at the address of the page in which nothing can be pressed */
export function securityHeaders(embedOrigins: readonly string[]): RequestHandler {
  const origins = embedOrigins.join(' ')
  return ({ path, query }, response, next) => {
    const isFramed = origins !== '' && path.startsWith('/runs/') && query.embed === '1'
    response.set({
      'Content-Security-Policy': `${contentPolicyBut} ${isFramed ? origins : "'none'"}`,
      'X-Content-Type-Options': 'nosniff',
      ...(isFramed ? {} : { 'X-Frame-Options': 'DENY' }),
      'Referrer-Policy': 'no-referrer',
      'Permissions-Policy':
        'camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
    })
    next()
  }
}

/** Hands out what the build has compressed already, to whoever takes it. */
function compressedAlready(folder: string): RequestHandler {
  const names = new Set(existsSync(folder) ? readdirSync(folder) : [])
  return (request, response, next) => {
    const compressed = `${request.path.slice(1)}.br`
    if (names.has(compressed)) {
      response.vary('Accept-Encoding')
      if (request.acceptsEncodings('br') !== false) {
        response.type(extname(request.path)).set('Content-Encoding', 'br')
        request.url = `/${compressed}`
      }
    }
    next()
  }
}

/** @param pageDir where vite put the page */
export function addPage(app: Express, pageDir: string): void {
  const index = join(pageDir, 'index.html')
  app.use(
    '/assets',
    compressedAlready(join(pageDir, 'assets')),
    express.static(join(pageDir, 'assets'), {
      immutable: true,
      maxAge: yearMilliseconds,
      index: false,
      redirect: false,
    }),
  )
  const page: RequestHandler = (_request, response) => {
    if (!existsSync(index))
      throw new ServerError(
        'not-found',
        'the page is not built: run `npm run build`; the API works without it',
      )
    response.set('Cache-Control', 'no-cache')
    return new Promise<void>((resolve, reject) =>
      response.sendFile(index, (error?: Error) => (error ? reject(error) : resolve())),
    )
  }
  for (const address of pageAddresses) app.get(address, page)
  app.use(express.static(pageDir, { index: false, redirect: false, maxAge: 0 }))
}
