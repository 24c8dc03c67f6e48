import type { Headers } from '../headers.ts'
import type { Processor, ProcessorContext, ProcessorSupplier } from '../processor.ts'
import type { StreamRecord } from '../record.ts'

/** What map and flatMap make of a record: what is left out stays as it was. */
export interface MappedRecord<K, V> {
  readonly key: K
  readonly value: V
  /** Ms since 1970. Default: the record's. */
  readonly timestamp?: number
  /** Default: the record's. */
  readonly headers?: Headers
}

export type RecordMapper<K, V, K2, V2> = (record: StreamRecord<K, V>) => MappedRecord<K2, V2>
export type FlatRecordMapper<K, V, K2, V2> = (record: StreamRecord<K, V>) => Iterable<MappedRecord<K2, V2>>
export type KeySelector<K, V, K2> = (record: StreamRecord<K, V>) => K2

function derive<K, V>(from: StreamRecord<unknown, unknown>, mapped: MappedRecord<K, V>): StreamRecord<K, V> {
  if (mapped === null || typeof mapped !== 'object') {
    throw new TypeError(`the mapper returned ${mapped}; it must return { key, value }`)
  }
  const { key, value, timestamp = from.timestamp, headers = from.headers } = mapped
  if (key === undefined)
    throw new TypeError('the mapper returned no key; it must return { key, value }, null for no key')
  if (value === undefined) {
    throw new TypeError(
      'the mapper returned no value; it must return { key, value } (a spread of a record leaves its value out)',
    )
  }
  return { key, value, timestamp, headers }
}

class MapRecord<K, V, K2, V2> implements Processor<K, V, K2, V2> {
  readonly #mapper: RecordMapper<K, V, K2, V2>

  constructor(mapper: RecordMapper<K, V, K2, V2>) {
    this.#mapper = mapper
  }

  process(record: StreamRecord<K, V>, context: ProcessorContext<K2, V2>): void {
    context.forward(derive(record, this.#mapper(record)))
  }
}

class FlatMap<K, V, K2, V2> implements Processor<K, V, K2, V2> {
  readonly #mapper: FlatRecordMapper<K, V, K2, V2>

  constructor(mapper: FlatRecordMapper<K, V, K2, V2>) {
    this.#mapper = mapper
  }

  process(record: StreamRecord<K, V>, context: ProcessorContext<K2, V2>): void {
    for (const mapped of this.#mapper(record)) context.forward(derive(record, mapped))
  }
}

class SelectKey<K, V, K2> implements Processor<K, V, K2, V> {
  readonly #selector: KeySelector<K, V, K2>

  constructor(selector: KeySelector<K, V, K2>) {
    this.#selector = selector
  }

  process(record: StreamRecord<K, V>, context: ProcessorContext<K2, V>): void {
    const key = this.#selector(record)
    if (key === undefined)
      throw new TypeError('the key selector returned undefined; null is a record without a key')
    context.forward({ key, value: record.value, timestamp: record.timestamp, headers: record.headers })
  }
}

/** Forwards one record for each record. Kafka Streams' KStreamMap. */
export function map<K, V, K2, V2>(mapper: RecordMapper<K, V, K2, V2>): ProcessorSupplier<K, V, K2, V2> {
  return () => new MapRecord(mapper)
}

/** Forwards any number of records for each record. Kafka Streams' KStreamFlatMap. */
export function flatMap<K, V, K2, V2>(
  mapper: FlatRecordMapper<K, V, K2, V2>,
): ProcessorSupplier<K, V, K2, V2> {
  return () => new FlatMap(mapper)
}

/** Gives each record another key. Kafka Streams' KStreamImpl.selectKey. */
export function selectKey<K, V, K2>(selector: KeySelector<K, V, K2>): ProcessorSupplier<K, V, K2, V> {
  return () => new SelectKey(selector)
}
