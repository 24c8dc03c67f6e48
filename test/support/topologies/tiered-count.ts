/**
 * Counts the records of each key of `numbers` in a tiered store, each number once; one that deletes begins anew. TIERED_PREFIX comes before the topics' names; TIERED_TABLE is the table;
 * TIERED_LOCAL_BYTES is what a task keeps here.
 */
import {
  type Processor,
  type ProcessorContext,
  type StreamRecord,
  serdes,
  stores,
  type TieredKeyValueStore,
  Topology,
} from '../../../src/index.ts'

export interface NumberedRecord {
  /** Higher than those before, of the same key. */
  readonly number: number
  readonly deletes?: boolean
}

export interface Count {
  readonly count: number
  readonly last: number
}

const { TIERED_PREFIX = '', TIERED_TABLE = 'counts', TIERED_LOCAL_BYTES } = process.env

class Counting implements Processor<string, NumberedRecord, string, Count | null> {
  #context!: ProcessorContext<string, Count | null>
  #counts!: TieredKeyValueStore<string, Count>

  init(context: ProcessorContext<string, Count | null>): void {
    this.#context = context
    this.#counts = context.stateStore('counts')
  }

  process({ key, value, timestamp, headers }: StreamRecord<string, NumberedRecord>): void {
    const { count, last } = this.#counts.get(key) ?? { count: 0, last: 0 }
    // Processed before a crash.
    if (value.number <= last) return
    const counted = value.deletes === true ? null : { count: count + 1, last: value.number }
    this.#counts.put(key, counted)
    this.#context.forward({ key, value: counted, timestamp, headers })
  }
}

export default new Topology()
  .addSource('numbers', {
    topics: `${TIERED_PREFIX}numbers`,
    key: serdes.string,
    value: serdes.json<NumberedRecord>(),
  })
  .addProcessor('counting', () => new Counting(), {
    parents: 'numbers',
    readsByKey: ['counts'],
  })
  .addStateStore(
    stores.tieredKeyValue({
      name: 'counts',
      key: serdes.string,
      value: serdes.json<Count>(),
      table: TIERED_TABLE,
      ...(TIERED_LOCAL_BYTES !== undefined && { localBytesMax: Number(TIERED_LOCAL_BYTES) }),
    }),
    'counting',
  )
  .addSink('counted', {
    parents: 'counting',
    topic: `${TIERED_PREFIX}counted`,
    key: serdes.string,
    value: serdes.json<Count | null>(),
  })
