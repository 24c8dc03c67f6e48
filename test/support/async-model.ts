/**
 * A topology with async processors, and the same with processors that answer at once: what the one puts out and keeps, whatever order its promises
 * settle in, is what the other does. What a record makes of itself is a function of its value: a list of words.
 *
 *     skip       goes to nobody
 *     pair       becomes two records, the second with another key and one with the same
 *     side       goes past the async processors
 *     poison     its promise is rejected
 *     torn       completing it fails after something was forwarded and put
 *     again<n>   its promise is rejected n times with what may pass
 */
import {
  type AsyncContext,
  type AsyncProcessor,
  Headers,
  type KeyValueStore,
  type Processor,
  type ProcessorContext,
  RetriableError,
  type StreamRecord,
  serdes,
  stores,
  Topology,
} from '../../src/index.ts'

type Text = StreamRecord<string | null, string>
type TextContext = ProcessorContext<string | null, string>

const text = { key: serdes.string, value: serdes.string }

/** Promises that wait until the test settles them, and what must hold meanwhile. */
export class Promises {
  readonly #waiting: { readonly settle: () => void }[] = []
  /** Under way, by node and key. */
  readonly #running = new Map<string, number>()
  /** The place of the last record whose promise has begun, by node and key. */
  #last = new Map<string, number>()
  /** What did not hold. */
  readonly problems: string[] = []
  /** At once, of one node. */
  most = 0
  /** Attempts of each record that were rejected. */
  readonly #rejected = new Map<string, number>()
  /** Goes up when the task crashes or is suspended: what ran by then is nobody's. */
  #life = 0

  get waiting(): number {
    return this.#waiting.length
  }

  settle(index: number): void {
    this.#waiting.splice(index, 1)[0]!.settle()
  }

  /** Nobody waits for what is under way. */
  abandoned(): void {
    this.#life++
    this.#running.clear()
    this.#last = new Map()
    // They settle all the same, some of them late.
    for (const { settle } of this.#waiting.splice(0)) settle()
  }

  #must(holds: boolean, otherwise: string): void {
    if (!holds) this.problems.push(otherwise)
  }

  /** @returns when the test says so. @throws what the record's words say */
  async of(node: string, concurrency: number, { key, value }: Text, context: AsyncContext): Promise<string> {
    const life = this.#life
    const { offset } = context.recordMetadata()
    const running = (name: string, change: number): number => {
      const count = (this.#running.get(name) ?? 0) + change
      this.#running.set(name, count)
      return count
    }
    const name = `${node} ${key}`
    const ofNode = running(node, 1)
    this.#must(ofNode <= concurrency, `${node} has ${ofNode} promises under way, of ${concurrency}`)
    this.most = Math.max(this.most, ofNode)
    if (key !== null) {
      this.#must(running(name, 1) === 1, `${node} has two promises of ${key} under way`)
      const last = this.#last.get(name) ?? -1
      this.#must(offset >= last, `${node} gets offset ${offset} of ${key} after ${last}`)
      this.#last.set(name, offset)
    }
    await new Promise<void>((settle) => this.#waiting.push({ settle }))
    if (life !== this.#life) {
      this.#must(context.signal.aborted, 'nobody waits, and it was not told')
      return 'nobody has this'
    }
    running(node, -1)
    if (key !== null) running(name, -1)
    const words = value.split(' ')
    const attempts = `${node} ${offset} ${value}`
    const rejected = this.#rejected.get(attempts) ?? 0
    const again = words.find((word) => word.startsWith('again'))
    if (again !== undefined && rejected < Number(again.slice('again'.length))) {
      this.#rejected.set(attempts, rejected + 1)
      throw new RetriableError(`${value} is not there yet`)
    }
    if (words.includes('poison')) throw new Error(`${value} cannot be had`)
    return `${value}!`
  }
}

/** What is read before the promise: of its own key all that came before it is there. */
function seen(record: Text, store: Pick<KeyValueStore<string, string>, 'get'>): string {
  // The second record of a pair with the first one's key does not see what that has put.
  return record.key === null || record.value.includes('same') ? '-' : (store.get(record.key) ?? '-')
}

/** What is done in the record's turn. */
function complete(
  record: Text,
  result: string,
  before: string,
  store: KeyValueStore<string, string>,
  context: TextContext,
): void {
  const { key, timestamp, headers } = record
  const { offset } = context.recordMetadata()!
  const now = key === null ? null : store.get(key)
  const value = `${result} at ${offset} saw ${before} now ${now} time ${context.currentStreamTimeMs()}`
  context.forward({ key, value, timestamp, headers })
  if (key !== null) store.put(key, `${offset}`)
  if (record.value.includes('torn')) throw new Error(`${record.value} breaks off`)
  if (offset % 3 === 0) context.forward({ key: `${key}+`, value, timestamp: timestamp + 1, headers })
}

/** Tells stream time now and then, and what its store has by then. */
function punctuate(name: string, context: TextContext): void {
  const store = context.stateStore<KeyValueStore<string, string>>(name)
  context.schedule({ intervalMs: 7, type: 'stream-time' }, (timestamp) => {
    using rows = store.all()
    const value = `${name} has ${Array.from(rows, ({ key, value }) => `${key}=${value}`).join(' ')}`
    context.forward({ key: 'punctuated', value, timestamp, headers: Headers.empty })
  })
}

class Waiting implements AsyncProcessor<string | null, string, string | null, string, [string, string]> {
  readonly #name: string
  readonly #concurrency: number
  readonly #promises: Promises
  readonly #punctuates: boolean

  constructor(name: string, concurrency: number, promises: Promises, punctuates: boolean) {
    this.#name = name
    this.#punctuates = punctuates
    this.#concurrency = concurrency
    this.#promises = promises
  }

  init(context: TextContext): void {
    if (this.#punctuates) punctuate(this.#name, context)
  }

  async process(record: Text, context: AsyncContext): Promise<[string, string]> {
    const before = seen(record, context.stateStore<KeyValueStore<string, string>>(this.#name))
    return [await this.#promises.of(this.#name, this.#concurrency, record, context), before]
  }

  complete(record: Text, [result, before]: [string, string], context: TextContext): void {
    complete(record, result, before, context.stateStore(this.#name), context)
  }
}

class AtOnce implements Processor<string | null, string, string | null, string> {
  readonly #name: string
  readonly #punctuates: boolean

  constructor(name: string, punctuates: boolean) {
    this.#name = name
    this.#punctuates = punctuates
  }

  init(context: TextContext): void {
    if (this.#punctuates) punctuate(this.#name, context)
  }

  process(record: Text, context: TextContext): void {
    const store = context.stateStore<KeyValueStore<string, string>>(this.#name)
    if (record.value.split(' ').includes('poison')) throw new Error(`${record.value} cannot be had`)
    complete(record, `${record.value}!`, seen(record, store), store, context)
  }
}

/** Above the async processors: says who gets the record. */
class Router implements Processor<string | null, string, string | null, string> {
  process({ key, value, timestamp, headers }: Text, context: TextContext): void {
    const words = value.split(' ')
    if (words.includes('skip')) return
    if (words.includes('wrong')) throw new Error(`${value} is wrong`)
    const to = words.includes('side') ? 'side' : words.includes('second') ? 'second' : 'first'
    context.forward({ key, value, timestamp, headers }, to)
    if (words.includes('pair')) {
      context.forward({ key: `${key}'`, value: `${value} other`, timestamp, headers }, to)
      context.forward({ key, value: `${value} same`, timestamp: timestamp + 1, headers }, to)
    }
  }
}

/** Below everything: numbers what it gets, and the rows of a table that the task reads, too. */
class Total implements Processor<string | null, string, string | null, string> {
  process({ key, value, timestamp, headers }: Text, context: TextContext): void {
    const totals = context.stateStore<KeyValueStore<string, number>>('totals')
    const rows = context.stateStore<KeyValueStore<string, string>>('rows')
    const total = (totals.get('all') ?? 0) + 1
    totals.put('all', total)
    const row = rows.get('row') ?? '-'
    context.forward({ key, value: `${total}: ${value} row ${row}`, timestamp, headers })
  }
}

class Row implements Processor<string | null, string, never, never> {
  process({ value }: Text, context: ProcessorContext<never, never>): void {
    context.stateStore<KeyValueStore<string, string>>('rows').put('row', value)
  }
}

/**
 * @param promises null: everything is answered at once
 * @param punctuates a task that begins again punctuates at its first record, as in Kafka Streams: what it puts out then depends on when that is
 */
export function modelTopology(
  promises: Promises | null,
  concurrency: { readonly first: number; readonly second: number },
  punctuates: boolean,
): Topology {
  const store = (name: string) => stores.keyValue({ name, ...text, logging: false })
  const topology = new Topology()
    .addSource('records', { topics: 'records', ...text })
    .addSource('table', { topics: 'table', ...text })
    .addProcessor('router', () => new Router(), { parents: 'records' })
    .addProcessor('row', () => new Row(), { parents: 'table' })
  for (const name of ['first', 'second'] as const) {
    if (promises === null)
      topology.addProcessor(name, () => new AtOnce(name, punctuates), { parents: 'router' })
    else
      topology.addAsyncProcessor(name, () => new Waiting(name, concurrency[name], promises, punctuates), {
        parents: 'router',
        concurrency: concurrency[name],
      })
    topology.addStateStore(store(name), name)
  }
  return topology
    .addProcessor('side', () => ({ process: (record, context) => context.forward(record) }), {
      parents: 'router',
    })
    .addProcessor('total', () => new Total(), { parents: ['first', 'second', 'side'] })
    .addStateStore(
      stores.keyValue({ name: 'totals', key: serdes.string, value: serdes.int32, logging: false }),
      'total',
    )
    .addStateStore(store('rows'), 'total', 'row')
    .addSink('out', { parents: 'total', topic: 'out', ...text })
    .addSink('aside', { parents: ['side', 'first'], topic: 'aside', ...text })
}
