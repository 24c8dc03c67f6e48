import { createRequire } from 'node:module'
import { isMainThread } from 'node:worker_threads'

import { messageOf, WeirError } from '../errors/weir-error.ts'

/** The addon. Each file of this folder says what it takes from it; nothing else loads it. */
export const addon: unknown = load()

/** @throws WeirError addon-not-loaded: for another kind of machine than the one it was built for, or not there */
function load(): unknown {
  try {
    return createRequire(import.meta.url)('../../build/Release/weir.node')
  } catch (error) {
    throw new WeirError(
      'addon-not-loaded',
      `the native addon does not load on this machine: ${messageOf(error)}; npm rebuild weir builds it from its sources, npm run build:addon in a clone`,
      { cause: error },
    )
  }
}

export type NativeVersions = { readonly librdkafka: string; readonly rocksdb: string }

export const {
  versions,
  ioUringProblem,
  objects: nativeObjects,
  murmur2,
} = addon as {
  /** Throws when the addon is not linked to the librdkafka it was built for. */
  versions(): NativeVersions
  /** Why blocks cannot be read together through io_uring in this process; null when they can. */
  ioUringProblem(): string | null
  /** Native objects of all threads that JavaScript has not let go of. */
  objects(): number
  /** murmur2 as Kafka's DefaultPartitioner computes it, signed 32 bit. */
  murmur2(bytes: Buffer, start: number, end: number): number
}

/** How long a process may take to end after `process.exit`, ms. */
const EXIT_TIMEOUT_MS = 5_000

const { endWithin } = addon as {
  /** The process ends `ms` from now with this code, unless it has ended before. */
  endWithin(ms: number, exitCode: number): void
}

// Node waits for its workers, and the addon for its threads: one that hangs in a native call would keep a process that has given up.
if (isMainThread) process.once('exit', (code) => endWithin(EXIT_TIMEOUT_MS, code & 255))
