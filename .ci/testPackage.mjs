// @ts-check
// `npm run test:package`: the package as somebody else gets it. It is packed, installed into an empty folder without its optional
// parts, and used there: what works only in a clone fails here. Needs the npm registry. Ends with "N passed, N failed".

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { served } from './served.mjs'

const root = fileURLToPath(new URL('../', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'twostep-package-'))
const isWindows = process.platform === 'win32'
const npm = isWindows ? 'npm.cmd' : 'npm'
const bin = join(folder, 'node_modules', '.bin', isWindows ? 'twostep.cmd' : 'twostep')
const counts = { passed: 0, failed: 0 }

/** @param {string} command @param {readonly string[]} words @param {string} cwd */
function run(command, words, cwd) {
  const { status, stdout, stderr } = spawnSync(command, words, { cwd, encoding: 'utf8', shell: isWindows })
  return { status, text: `${stdout}${stderr}` }
}

/** @param {string} name @param {boolean} isHeld @param {unknown} got */
function holds(name, isHeld, got) {
  counts[isHeld ? 'passed' : 'failed']++
  console.log(`${isHeld ? '✓' : '✗'} ${name}${isHeld ? '' : `\n  got ${String(got)}`}`)
}

/** The server of the installed package, asked for its page and its version. */
async function servesItsPage() {
  try {
    await served(bin, [], folder, async (url) => {
      const [page, version] = await Promise.all([fetch(url), fetch(`${url}/version`)])
      const text = await page.text()
      holds('serves the page', page.ok && text.includes('<script type="module"'), text.slice(0, 200))
      holds('says its version', version.ok, version.status)
    })
  } catch (error) {
    holds('serves the page', false, error)
  }
}

try {
  const packed = run(npm, ['pack', '--pack-destination', folder], root)
  const archive = readdirSync(folder).find((name) => name.endsWith('.tgz'))
  holds('is packed', packed.status === 0 && archive !== undefined, packed.text)
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n')
  const installed = run(
    npm,
    ['install', '--omit=optional', '--no-audit', '--no-fund', `./${archive}`],
    folder,
  )
  holds('is installed without its optional parts', installed.status === 0, installed.text)
  const version = run(bin, ['--version'], folder)
  holds('starts', version.status === 0 && /^\d+\.\d+\.\d+\s*$/.test(version.text), version.text)
  const doctor = run(bin, ['doctor', '--port', '0'], folder)
  const isTold = doctor.text.includes('can serve, but not train')
  holds('is well without its trainer, and says that it has none', doctor.status === 0 && isTold, doctor.text)
  const train = run(bin, ['train', '--steps', '20'], folder)
  holds('says what training needs', train.status === 1 && train.text.includes('--omit=optional'), train.text)
  await servesItsPage()
} finally {
  rmSync(folder, { recursive: true, force: true })
}
console.log(`${counts.passed} passed, ${counts.failed} failed`)
process.exitCode = counts.failed === 0 ? 0 : 1
