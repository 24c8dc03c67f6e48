import type { Config } from '../../config/config.ts'
import type { LogNotice, SerializedError, TopicInfo } from '../protocol.ts'
import type { SchemaAnswers } from '../schemas/thread-schemas.ts'

/** How threads read the global stores. */
export interface GlobalStoresHandle {
  /** Native number of their database. */
  readonly databaseId: number
  /**
   * One Int32 that the global thread adds 1 to before each write and after it. While it is odd, or another than it was, what was read before may be
   * older than what is read now.
   */
  readonly version: SharedArrayBuffer
}

/** What the global thread is started with. All of it can be cloned. */
export interface GlobalThreadJob {
  readonly config: Config
  /** The module that default-exports the topology: an absolute file URL. */
  readonly moduleUrl: string
  /** Every topic the topology reads or writes, by its real name. */
  readonly topics: Readonly<Record<string, TopicInfo>>
  readonly version: SharedArrayBuffer
  /** null: no serde of the topology asks a schema registry. */
  readonly schemas: SchemaAnswers | null
}

/** Main thread to global thread. */
export interface GlobalThreadRequests {
  /** Commits and closes everything, and ends the thread. */
  stop: { request: Record<string, never>; response: void }
  /** prom-client's getMetricsAsJSON of this thread's registry. */
  metrics: { request: Record<string, never>; response: unknown }
}

/** Global thread to main thread. */
export type GlobalThreadNotice =
  /** The stores have what their topics had when the thread began. */
  | { readonly type: 'ready'; readonly databaseId: number; readonly records: number }
  | LogNotice
  /** The thread cannot go on; it ends. */
  | { readonly type: 'failed'; readonly error: SerializedError }
