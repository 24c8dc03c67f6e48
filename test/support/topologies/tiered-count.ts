/**
 * Counts the records of each key of `numbers` in a tiered store, each number once; one that deletes begins anew. TIERED_PREFIX comes before the topics' names; TIERED_TABLE is the table;
 * TIERED_LOCAL_BYTES is what a task keeps here; with TIERED_ASYNC rows are loaded one by one.
 */
import {
  type AsyncContext,
  type AsyncProcessor,
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

const { TIERED_PREFIX = '', TIERED_TABLE = 'counts', TIERED_LOCAL_BYTES, TIERED_ASYNC } = process.env

/** @returns null: the row goes; undefined: the record was counted before a crash */
function countOf(before: Count | null, { number, deletes }: NumberedRecord): Count | null | undefined {
  const { count, last } = before ?? { count: 0, last: 0 }
  if (number <= last) return undefined
  return deletes === true ? null : { count: count + 1, last: number }
}

class Counting implements Processor<string, NumberedRecord, string, Count | null> {
  #context!: ProcessorContext<string, Count | null>
  #counts!: TieredKeyValueStore<string, Count>

  init(context: ProcessorContext<string, Count | null>): void {
    this.#context = context
    this.#counts = context.stateStore('counts')
  }

  process({ key, value, timestamp, headers }: StreamRecord<string, NumberedRecord>): void {
    const counted = countOf(this.#counts.get(key), value)
    if (counted === undefined) return
    this.#counts.put(key, counted)
    this.#context.forward({ key, value: counted, timestamp, headers })
  }
}

class LoadingAndCounting
  implements AsyncProcessor<string, NumberedRecord, string, Count | null, Count | null>
{
  process({ key }: StreamRecord<string, NumberedRecord>, context: AsyncContext): Promise<Count | null> {
    return context.stateStore<TieredKeyValueStore<string, Count>>('counts').load(key)
  }

  complete(
    { key, value, timestamp, headers }: StreamRecord<string, NumberedRecord>,
    before: Count | null,
    context: ProcessorContext<string, Count | null>,
  ): void {
    const counted = countOf(before, value)
    if (counted === undefined) return
    context.stateStore<TieredKeyValueStore<string, Count>>('counts').put(key, counted)
    context.forward({ key, value: counted, timestamp, headers })
  }
}

const topology = new Topology().addSource('numbers', {
  topics: `${TIERED_PREFIX}numbers`,
  key: serdes.string,
  value: serdes.json<NumberedRecord>(),
})
if (TIERED_ASYNC === undefined)
  topology.addProcessor('counting', () => new Counting(), { parents: 'numbers', readsByKey: ['counts'] })
else topology.addAsyncProcessor('counting', () => new LoadingAndCounting(), { parents: 'numbers' })

export default topology
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
