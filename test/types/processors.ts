/** What processors may forward, and the stores that they get. */
import type {
  AsyncContext,
  AsyncProcessor,
  KeyValueStore,
  Processor,
  ProcessorContext,
  Stream,
  StreamRecord,
} from '../../src/index.ts'
import { defineTopology, serdes, stores, Topology } from '../../src/index.ts'
import { check, type Equal, type View, views } from './check.ts'

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

class Titles implements AsyncProcessor<string, View, string, string, number> {
  async process({ value }: StreamRecord<string, View>, { signal }: AsyncContext): Promise<number> {
    // @ts-expect-error: nothing is forwarded here
    value.forward(signal)
    return value.page.length
  }

  complete(
    { key, timestamp, headers }: StreamRecord<string, View>,
    length: number,
    context: ProcessorContext<string, string>,
  ): void {
    context.forward({ key, value: 'x'.repeat(length), timestamp, headers })
    // @ts-expect-error: the processor forwards text
    context.forward({ key, value: length, timestamp, headers })
  }
}

export const async = defineTopology((builder) => {
  const stream = builder.stream('page-views', views)
  const titles = stream.processAsync(() => new Titles(), { concurrency: 4 })
  check<Equal<typeof titles, Stream<string, string, 'missing', 'missing'>>>()
  titles.to('titles', { key: serdes.string, value: serdes.string })
  // @ts-expect-error: the serdes are not known any more
  titles.to('titles')
  const lengths = stream.mapValuesAsync(async ({ page }, key, signal) => {
    signal.throwIfAborted()
    return page.length + key.length
  })
  check<Equal<typeof lengths, Stream<string, number, 'known', 'missing'>>>()
  lengths.to('lengths', { value: serdes.float64 })
  // @ts-expect-error: a promise is expected
  stream.mapValuesAsync(({ page }) => page)
  // @ts-expect-error: what the promise gives is not what complete takes
  stream.processAsync(() => ({ process: async () => 'text', complete: (_record, _result: number) => {} }))
})
