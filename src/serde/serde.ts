import type { SerdeBinding } from './binding.ts'
import type { ByteWriter } from './byte-writer.ts'

/**
 * Turns values into bytes and back, in place: both ways work on a larger buffer, so that nothing is sliced or copied per record.
 * Null never reaches a serde: a null key or value is a null in the record, as in Kafka Streams.
 */
export interface Serde<T> {
  /** For messages and `describe`: `string`, `int64`, `json`, ... */
  readonly name: string
  /**
   * The same values have the same bytes exactly when they are `===` as map keys (strings, integers). A store's cache then keeps a decoded key, and
   * every record of that key has it, instead of one of its own. Default: false.
   */
  readonly primitive?: boolean
  /**
   * Reads the value that occupies exactly `buffer[start, end)`. Must not keep a reference into `buffer`, and must throw when the
   * value ends before or after `end`: the next bytes belong to another record.
   */
  deserialize(buffer: Buffer, start: number, end: number): T
  /** Appends the value's bytes to `writer`. Throws a TypeError with one clear line when the value cannot be written. */
  serialize(value: T, writer: ByteWriter): void
  /**
   * A copy that shares nothing with `value` which can be changed: what `deserialize` would make of the bytes, at less cost. For what is handed to functions that may change it.
   * Default: the bytes are written and read.
   *
   * @returns undefined when only the bytes can tell
   */
  copy?(value: T): T | undefined
  /** Of a serde whose bytes depend on where they go, or on a schema registry: it is bound to each place before it is used. Default: none. */
  readonly binding?: SerdeBinding<T>
  /** Of a bound serde: the one that it was made of. */
  readonly unbound?: Serde<T>
  /**
   * What has to arrive before the value in `buffer[start, end)` can be read at once: a schema that this thread does not know yet. Asked of each record
   * of a batch, before the batch is processed; must be quick and must not throw. Default: nothing is ever awaited.
   *
   * @returns null when there is nothing to wait for. The promise does not reject
   */
  awaits?(buffer: Buffer, start: number, end: number): Promise<void> | null
}
