/** An error from the native core. `code` is `closed`, `invalid`, `busy` (65,536 native calls of one thread wait), `stale` (of a restore),
 * `rocksdb:<Code>` (Corruption, IOError, NoSpace; Busy when a state folder is in use elsewhere) or `kafka:<NAME>` with librdkafka's name without its prefix (`kafka:_TIMED_OUT`, `kafka:UNKNOWN_TOPIC_OR_PART`). */
export interface NativeError extends Error {
  readonly code: string
  /** Waiting and trying again may help. */
  readonly retriable: boolean
  /** The client object is of no more use (librdkafka's fatal errors). */
  readonly fatal: boolean
}
