// The IDX format of the MNIST files: a big-endian header (two zero bytes, type 8 = unsigned byte, number of
// dimensions, then each dimension as 32 bits) followed by the values. Every way a file can be broken is named.

import { readFileSync } from 'node:fs'
import { DataError } from './dataset.ts'

export type IdxArray = { readonly shape: readonly number[]; readonly values: Uint8Array }

/** @throws DataError naming the file, what was found and what is allowed. */
export function parseIdx(bytes: Uint8Array, file: string, dimensionCount: number): IdxArray {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const headerBytes = 4 + 4 * dimensionCount
  if (bytes.length < headerBytes)
    throw new DataError(`${file} must hold at least ${headerBytes} bytes of header, got ${bytes.length}`)
  const expected = 0x0800 + dimensionCount
  if (view.getUint32(0) !== expected)
    throw new DataError(
      `${file} must start with the IDX mark 0x${expected.toString(16)}, got 0x${view.getUint32(0).toString(16)}`,
    )
  const shape = Array.from({ length: dimensionCount }, (_, index) => view.getUint32(4 + 4 * index))
  const size = shape.reduce((product, length) => product * length, 1)
  if (bytes.length !== headerBytes + size)
    throw new DataError(
      `${file} must hold ${headerBytes + size} bytes for its shape ${shape.join('×')}, got ${bytes.length}: the file is cut off or damaged`,
    )
  return { shape, values: bytes.subarray(headerBytes) }
}

/** Reads an IDX file. @throws DataError also if the file cannot be read. */
export function readIdx(path: string, dimensionCount: number): IdxArray {
  let bytes: Uint8Array
  try {
    bytes = readFileSync(path)
  } catch (cause) {
    throw new DataError(
      `${path} cannot be read (${(cause as Error).message}); reinstall the data with "npm ci"`,
    )
  }
  return parseIdx(bytes, path, dimensionCount)
}
