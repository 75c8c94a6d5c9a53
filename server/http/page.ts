// The built page: one HTML file for every address of the page, hashed assets that never change, and headers
// that let it do nothing but talk to this server.

import { existsSync, readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import express, { type Express, type RequestHandler, type Response } from 'express'
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

/**
 * The page for a server under a path: its own addresses begin with the path, and it finds the path in a meta element, where
 * no script need stand in the page and no <base> turns its links of one fragment into others.
 */
function indexUnder(html: string, basePath: string): string {
  const moved = html.replaceAll(/(?<=[\s"])\/(?=(assets|api)\/)/g, `${basePath}/`)
  return moved.replace('<head>', `<head>\n    <meta name="base-path" content="${basePath}">`)
}

async function sendIndex(response: Response, index: string, basePath: string): Promise<void> {
  if (basePath !== '') {
    response.type('html').send(indexUnder(await readFile(index, 'utf8'), basePath))
    return
  }
  await new Promise<void>((resolve, reject) =>
    response.sendFile(index, (error?: Error) => (error ? reject(error) : resolve())),
  )
}

/**
 * @param pageDir where vite put the page
 * @param basePath the path of its host under which the server is asked; may be empty
 */
export function addPage(app: Express, pageDir: string, basePath: string): void {
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
    return sendIndex(response, index, basePath)
  }
  for (const address of pageAddresses) app.get(address, page)
  app.use(express.static(pageDir, { index: false, redirect: false, maxAge: 0 }))
}
