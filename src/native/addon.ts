import { createRequire } from 'node:module'

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
