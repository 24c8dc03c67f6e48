/**
 * The whole native surface: src/native has a file for each of native/binding's, under the same name. Nothing else loads the addon, and all
 * others import it from here.
 *
 * Rules that hold for every class:
 * - Records cross in batches: a Buffer (the arena) and one ArrayBuffer of columns. A column named `xLength` holds -1 for null.
 * - A method that returns a Promise does its work on Weir's own native threads, never on libuv's; Buffers handed to it must not be
 *   written until it settles. All other methods return at once.
 * - Every failure is a {@link NativeError}. Nothing is thrown for a full queue: counts say how far a batch got.
 * - `close()` is idempotent; a call on a closed object throws `code: 'closed'`. Objects left open are closed when their thread ends.
 */
export { ioUringProblem, murmur2, type NativeVersions, nativeObjects, versions } from './native/addon.ts'
export * from './native/admin.ts'
export * from './native/consumer.ts'
export type * from './native/database-options.ts'
export type * from './native/errors.ts'
export type * from './native/inspection.ts'
export type * from './native/kafka-config.ts'
export * from './native/kafka-log.ts'
export * from './native/local-producer.ts'
export * from './native/mock-cluster.ts'
export * from './native/producer.ts'
export * from './native/restorer.ts'
export type * from './native/rocksdb-settings.ts'
export type * from './native/scan.ts'
export * from './native/state-memory.ts'
export type * from './native/store-offset.ts'
export * from './native/task-database.ts'
export type * from './native/topic-partitions.ts'
