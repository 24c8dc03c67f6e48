/**
 * Something of everything that is metered, from the topic `metered-input`: values say what is done with a record. `visit` is counted, by key and in windows that are told when
 * they have closed; `throw` and `retry` fail, the latter once; `wait 500` holds the thread up for 500 ms. METERED_PREFIX comes before every topic.
 */
import { setTimeout as sleep } from 'node:timers/promises'

import {
  BufferConfig,
  defineTopology,
  type KeyValueStore,
  type Processor,
  type ProcessorContext,
  RetriableError,
  type SessionStore,
  type StreamRecord,
  Suppressed,
  serdes,
  stores,
  TimeWindows,
  type VersionedKeyValueStore,
} from '../../../src/index.ts'

export const WINDOW_MS = 1_000

const prefix = process.env.METERED_PREFIX ?? ''
const text = { key: serdes.string, value: serdes.string }
const never = new Int32Array(new SharedArrayBuffer(4))

/** Asks stores for everything that they can be asked for. */
class Asking implements Processor<string, string, string, string> {
  #rows!: KeyValueStore<string, string>
  #sessions!: SessionStore<string, string>
  #versions!: VersionedKeyValueStore<string, string>

  init(context: ProcessorContext<string, string>): void {
    this.#rows = context.stateStore('rows')
    this.#sessions = context.stateStore('sessions')
    this.#versions = context.stateStore('versions')
    for (const type of ['stream-time', 'wall-clock-time'] as const)
      context.schedule({ intervalMs: 200, type }, () => {})
  }

  process(record: StreamRecord<string, string>, context: ProcessorContext<string, string>): void {
    const { key, value, timestamp } = record
    this.#rows.get(key)
    this.#rows.put(key, value)
    if (key === 'user-1') this.#rows.delete(key)
    for (const scan of [
      this.#rows.range('a', 'z'),
      this.#rows.all(),
      this.#rows.prefixScan('user', serdes.string),
    ])
      scan.close()
    this.#sessions.put({ key, window: { start: timestamp, end: timestamp } }, value)
    this.#sessions.fetch(key).close()
    this.#sessions.findSessions(timestamp - 1_000, timestamp).close()
    this.#versions.put(key, value, timestamp)
    this.#versions.get(key)
    context.forward(record)
  }
}

const retried = new Set<string>()

export default defineTopology((builder) => {
  builder.addStateStore(stores.keyValue({ name: 'rows', ...text }))
  builder.addStateStore(stores.session({ name: 'sessions', ...text, retentionMs: 600_000 }))
  builder.addStateStore(stores.versioned({ name: 'versions', ...text, historyRetentionMs: 600_000 }))
  const others = builder.table(`${prefix}metered-others`, text)
  const input = builder.stream(`${prefix}metered-input`, text).mapValues(
    (value, key) => {
      if (value === 'throw') throw new Error(`${key} cannot be processed`)
      if (value === 'retry' && !retried.has(key)) {
        retried.add(key)
        throw new RetriableError(`${key} waits`)
      }
      const ms = /^wait (\d+)$/.exec(value)?.[1]
      if (ms !== undefined) Atomics.wait(never, 0, 0, Number(ms))
      return value
    },
    { name: 'faults' },
  )
  input
    .leftJoin(others, (value) => value, { name: 'join' })
    .process(() => new Asking(), {
      name: 'asking',
      stores: ['rows', 'sessions', 'versions'],
    })
    .to(`${prefix}metered-asked`, { ...text, name: 'asked' })
  const visits = input.filter(({ value }) => value === 'visit').groupByKey()
  visits
    .windowedBy(TimeWindows.of({ sizeMs: WINDOW_MS, graceMs: 0 }))
    .count({ store: 'windows' })
    .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()), { name: 'hold' })
    .toStream()
    .to(`${prefix}metered-closed`, { name: 'closed' })
  builder
    .stream(`${prefix}metered-slow`, text)
    .mapValuesAsync(
      async (value) => {
        await sleep(5)
        return value
      },
      { name: 'waiting' },
    )
    .to(`${prefix}metered-waited`, { ...text, name: 'waited' })
})
