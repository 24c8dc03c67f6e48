import { createRequire } from 'node:module'
import { isMainThread } from 'node:worker_threads'

const require = createRequire(import.meta.url)

/** The addon. Each file of this folder says what it takes from it; nothing else loads it. */
export const addon: unknown = require('../../build/Release/weir.node')

export type NativeVersions = { readonly librdkafka: string; readonly rocksdb: string }

export const {
  versions,
  objects: nativeObjects,
  murmur2,
} = addon as {
  /** Throws when the addon is not linked to the librdkafka it was built for. */
  versions(): NativeVersions
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
