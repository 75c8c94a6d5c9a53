// A checkpoint on disk, for resuming a trainer that was killed. Format: 8 bytes "TWOSTEP1"; the length of the
// header as a 32-bit little-endian number; the header as JSON (step, data order, the optimizer's numbers, and the
// shape of every tensor in order); then the tensors' 32-bit floats, little-endian, one after the other. The file is
// written under a temporary name and renamed, so a reader sees the old one or the new one, never half of one.

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import type { Checkpoint } from './checkpoints.ts'
import type { DataOrderState } from './data/dataOrder.ts'

const mark = 'TWOSTEP1'
const headBytes = mark.length + 4

type Header = {
  readonly step: number
  /** Steps taken by the run when it was written, over all restores. */
  readonly stepCount: number
  /** What the checkpoint fits: another task, model or optimizer cannot go on from it. */
  readonly fits: string
  readonly dataOrder: DataOrderState
  readonly numbers: Readonly<Record<string, number>>
  readonly weights: readonly (readonly number[])[]
  readonly optimizer: Readonly<Record<string, readonly (readonly number[])[]>>
}

export type StoredCheckpoint = { readonly checkpoint: Checkpoint; readonly stepCount: number }

const shapes = (tensors: readonly tf.Tensor[]) => tensors.map(({ shape }) => shape)

/** Reads the tensors before it returns its promise, so the caller may dispose the checkpoint then. */
export async function writeCheckpoint(
  file: string,
  { checkpoint, stepCount }: StoredCheckpoint,
  fits: string,
): Promise<void> {
  const { tensors, numbers } = checkpoint.optimizer
  const header: Header = {
    step: checkpoint.step,
    stepCount,
    fits,
    dataOrder: checkpoint.dataOrder,
    numbers,
    weights: shapes(checkpoint.weights),
    optimizer: Object.fromEntries(Object.entries(tensors).map(([name, list]) => [name, shapes(list)])),
  }
  const all = [...checkpoint.weights, ...Object.values(tensors).flat()]
  const values = await Promise.all(all.map((tensor) => tensor.data()))
  const json = Buffer.from(JSON.stringify(header))
  const head = Buffer.alloc(headBytes)
  head.write(mark, 'latin1')
  head.writeUInt32LE(json.length, mark.length)
  const parts = values.map((array) => Buffer.from(array.buffer, array.byteOffset, array.byteLength))
  await mkdir(dirname(file), { recursive: true })
  await writeFile(`${file}.tmp`, Buffer.concat([head, json, ...parts]))
  await rename(`${file}.tmp`, file)
}

function parseHeader(bytes: Buffer, file: string, fits: string): { header: Header; offset: number } {
  const found = bytes.toString('latin1', 0, mark.length)
  if (found !== mark)
    throw new Error(`${file} must start with ${mark}, got ${JSON.stringify(found)}: it is no checkpoint`)
  const offset = headBytes + bytes.readUInt32LE(mark.length)
  let header: Header
  try {
    header = JSON.parse(bytes.toString('utf8', headBytes, offset)) as Header
  } catch {
    throw new Error(
      `${file} must hold a JSON header of ${offset - headBytes} bytes: the file is cut off or damaged`,
    )
  }
  if (header.fits !== fits) throw new Error(`${file} must be of ${fits}, got one of ${header.fits}`)
  return { header, offset }
}

/** @throws Error with a sentence if the file is missing, damaged or of another run's kind. */
export async function readCheckpoint(file: string, fits: string): Promise<StoredCheckpoint> {
  const bytes = await readFile(file).catch((cause: Error) => {
    throw new Error(`${file} cannot be read (${cause.message}): there is nothing to resume from`)
  })
  const { header, offset } = parseHeader(bytes, file, fits)
  const size = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 4)
  const all = [...header.weights, ...Object.values(header.optimizer).flat()]
  const expected = offset + all.reduce((sum, shape) => sum + size(shape), 0)
  if (bytes.length !== expected)
    throw new Error(
      `${file} must hold ${expected} bytes, got ${bytes.length}: the file is cut off or damaged`,
    )
  let next = offset
  const take = (shape: readonly number[]): tf.Tensor => {
    const values = new Float32Array(
      bytes.buffer.slice(bytes.byteOffset + next, bytes.byteOffset + next + size(shape)),
    )
    next += size(shape)
    return tf.tensor(values, [...shape])
  }
  const weights = header.weights.map(take)
  const tensors = Object.fromEntries(
    Object.entries(header.optimizer).map(([name, list]) => [name, list.map(take)]),
  )
  const optimizer = { tensors, numbers: header.numbers }
  return {
    checkpoint: { step: header.step, weights, optimizer, dataOrder: header.dataOrder },
    stepCount: header.stepCount,
  }
}
