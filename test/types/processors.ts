/** What processors may forward, and the stores that they get. */
import type { KeyValueStore, Processor } from '../../src/index.ts'
import { serdes, stores, Topology } from '../../src/index.ts'
import { type View, views } from './check.ts'

class Durations implements Processor<string, View, string, number> {
  #store!: KeyValueStore<string, number>

  init(context: Parameters<NonNullable<Processor<string, View, string, number>['init']>>[0]): void {
    this.#store = context.stateStore('durations')
  }

  process(...[record, context]: Parameters<Processor<string, View, string, number>['process']>): void {
    const total = (this.#store.get(record.key) ?? 0) + record.value.durationMs
    this.#store.put(record.key, total)
    const { timestamp, headers } = record
    context.forward({ key: record.key, value: total, timestamp, headers })
    // @ts-expect-error: the processor forwards numbers
    context.forward({ key: record.key, value: 'total', timestamp, headers })
    // @ts-expect-error: the headers are not copied by a spread
    context.forward({ ...record, value: total })
  }
}

export const topology = new Topology()
  .addSource('views', { topics: 'page-views', ...views })
  .addProcessor('durations', () => new Durations(), {
    parents: 'views',
    preservesKey: true,
    readsByKey: ['durations'],
  })
  .addStateStore(
    stores.keyValue({ name: 'durations', key: serdes.string, value: serdes.float64 }),
    'durations',
  )
  .addSink('totals', { parents: 'durations', topic: 'totals', key: serdes.string, value: serdes.float64 })
