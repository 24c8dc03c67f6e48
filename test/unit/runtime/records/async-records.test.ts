import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { decodeOffsetMetadata } from '../../../../src/commit/offset-metadata.ts'
import {
  type AsyncContext,
  type AsyncProcessor,
  type AsyncProcessorSupplier,
  defineTopology,
  type KeyValueStore,
  type ProcessorContext,
  type ReadOnlyKeyValueStore,
  RetriableError,
  type StreamRecord,
  serdes,
  stores,
  Topology,
} from '../../../../src/index.ts'
import { type InputRecord, LocalTask, type LocalTaskOptions } from '../../../support/local-task.ts'

const text = { key: serdes.string, value: serdes.string }

type Text = StreamRecord<string, string>

/** Promises by the values that they are for. */
class Desk {
  /** Of those under way, in the order in which they began. */
  readonly open = new Map<
    string,
    { resolve(value: string): void; reject(error: unknown): void; signal: AbortSignal }
  >()
  readonly begun: string[] = []

  wait(value: string, signal: AbortSignal): Promise<string> {
    this.begun.push(value)
    return new Promise((resolve, reject) => this.open.set(value, { resolve, reject, signal }))
  }

  async answer(...values: readonly string[]): Promise<void> {
    for (const value of values) {
      this.open.get(value)!.resolve(`${value}!`)
      this.open.delete(value)
    }
    await told()
  }

  async reject(value: string, error: unknown): Promise<void> {
    this.open.get(value)!.reject(error)
    this.open.delete(value)
    await told()
  }
}

/** What has settled reaches the task. */
function told(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function record(key: string | null, value: string, timestamp = 0): InputRecord {
  return { key: key === null ? null : Buffer.from(key), value: Buffer.from(value), timestamp }
}

function mapping(desk: Desk, concurrency: number): ReturnType<typeof defineTopology> {
  return defineTopology((builder) => {
    builder
      .stream('in', text)
      .mapValuesAsync((value, _key, signal) => desk.wait(value, signal), { concurrency })
      .to('out', text)
  })
}

function withProcessor<Result>(
  supplier: AsyncProcessorSupplier<string, string, string, string, Result>,
  concurrency = 4,
): Topology {
  return new Topology()
    .addSource('source', { topics: 'in', ...text })
    .addAsyncProcessor('waiting', supplier, { parents: 'source', concurrency })
    .addStateStore(stores.keyValue({ name: 'rows', ...text, logging: false }), 'waiting')
    .addSink('sink', { parents: 'waiting', topic: 'out', ...text })
}

async function opened(topology: ReturnType<typeof defineTopology>, options: LocalTaskOptions = {}) {
  const local = await LocalTask.open(topology, options)
  return Object.assign(local, {
    values: () => local.uncommitted.filter(({ topic }) => topic === 'out').map(({ value }) => value),
  })
}

describe('how many', () => {
  test('as many promises as the concurrency says are under way, the oldest first; each that settles makes room', async () => {
    const desk = new Desk()
    await using local = await opened(mapping(desk, 3))
    local.append('in', ...['a', 'b', 'c', 'd', 'e'].map((value) => record(value, value)))
    await local.turn()
    assert.deepEqual(desk.begun, ['a', 'b', 'c'])
    await desk.answer('b')
    await local.turn()
    assert.deepEqual(desk.begun, ['a', 'b', 'c', 'd'])
    assert.deepEqual(local.values(), [])
    await desk.answer('a', 'd')
    await local.turn()
    assert.deepEqual(local.values(), ['a!', 'b!'])
    assert.deepEqual(desk.begun, ['a', 'b', 'c', 'd', 'e'])
  })

  test('records of one key one after the other, each when the one before is done with; those without a key at once', async () => {
    const desk = new Desk()
    await using local = await opened(mapping(desk, 10))
    local.append(
      'in',
      ...['1', '2'].map((value) => record('slow', `slow${value}`)),
      ...['1', '2', '3'].map((value) => record('k', value)),
      ...['n1', 'n2'].map((value) => record(null, value)),
    )
    await local.turn()
    assert.deepEqual(desk.begun, ['slow1', '1', 'n1', 'n2'])
    await desk.answer('1')
    await local.turn()
    // It has its value, but its turn has not come.
    assert.equal(desk.begun.includes('2'), false)
    await desk.answer('slow1')
    await local.turn()
    assert.deepEqual(desk.begun.slice(4), ['slow2'])
    await desk.answer('slow2')
    await local.turn()
    assert.deepEqual(desk.begun.slice(5), ['2'])
    await desk.answer('2', 'n1', 'n2')
    await local.turn()
    await desk.answer('3')
    await local.turn()
    assert.deepEqual(local.values(), ['slow1!', 'slow2!', '1!', '2!', '3!', 'n1!', 'n2!'])
  })

  test('eight times as many records are taken as promises may be under way; then the partition is left alone', async () => {
    const desk = new Desk()
    const batches: number[] = []
    const batchOf = (): number => {
      batches.push(8)
      return 8
    }
    await using local = await opened(mapping(desk, 2), { batchOf })
    local.append('in', ...Array.from({ length: 100 }, (_, index) => record(`k${index}`, `${index}`)))
    for (let turn = 0; turn < 10; turn++) await local.turn()
    assert.equal(local.task.recordsInFlight, 16)
    // Two batches are in flight, and one waits.
    assert.equal(batches.length, 3)
    await desk.answer('0')
    await local.turn()
    assert.equal(local.task.recordsInFlight, 16)
    assert.deepEqual(local.values(), ['0!'])
  })

  test('no more than so many bytes of records are in flight, but one always is', async () => {
    const desk = new Desk()
    await using local = await opened(mapping(desk, 16), { batchBytesMax: 65_536 })
    const large = (name: string): InputRecord => record(name, name.padEnd(40_000, '.'))
    local.append('in', large('a'), large('b'), large('c'))
    for (let turn = 0; turn < 5; turn++) await local.turn()
    assert.equal(local.task.recordsInFlight, 2)
  })
})

describe('a commit', () => {
  test('is at the first record that is not done with, at the partition time that was then', async () => {
    const desk = new Desk()
    await using local = await opened(mapping(desk, 4))
    local.append('in', record('a', 'a', 10), record('b', 'b', 20), record('c', 'c', 30))
    await local.turn()
    await desk.answer('a', 'c')
    await local.turn()
    await local.commit()
    assert.deepEqual(local.committed, { in: 1 })
    assert.equal(decodeOffsetMetadata(local.task.offsets()[0]!.metadata), 10)
    assert.deepEqual(
      local.outputs.map(({ value }) => value),
      ['a!'],
    )
    await desk.answer('b')
    await local.turn()
    await local.commit()
    assert.deepEqual(local.committed, { in: 3 })
    assert.deepEqual(
      local.outputs.map(({ value }) => value),
      ['a!', 'b!', 'c!'],
    )
  })

  test('what is in flight when the task is suspended is dropped, told so, and processed again', async () => {
    const desk = new Desk()
    await using local = await opened(mapping(desk, 4))
    local.append('in', record('a', 'a', 10), record('b', 'b', 20))
    await local.turn()
    const { a, b } = Object.fromEntries(desk.open)
    await desk.answer('b')
    await local.task.suspend()
    assert.equal(a!.signal.aborted, true)
    assert.equal(b!.signal.aborted, false)
    assert.equal(local.task.recordsInFlight, 0)
    local.task.resume()
    a!.resolve('late')
    await told()
    await local.turn()
    assert.deepEqual(local.values(), [])
    assert.deepEqual(desk.begun, ['a', 'b', 'a', 'b'])
    await desk.answer('a', 'b')
    await local.turn()
    assert.deepEqual(local.values(), ['a!', 'b!'])
  })

  test('a task that is about to go completes what is in flight, and takes no more', async () => {
    const desk = new Desk()
    await using local = await opened(mapping(desk, 2))
    local.append('in', record('a', 'a'), record('b', 'b'))
    await local.turn()
    local.append('in', record('c', 'c'))
    local.task.readAhead()
    await desk.answer('a')
    assert.equal(local.task.completeRecords(10), 1)
    assert.equal(local.task.isRecordUnderWay, true)
    await desk.answer('b')
    assert.equal(local.task.completeRecords(10), 1)
    assert.equal(local.task.isRecordUnderWay, false)
    assert.deepEqual(desk.begun, ['a', 'b'])
    assert.deepEqual(
      local.task.offsets().map(({ offset }) => offset),
      [2],
    )
  })
})

describe('what fails', () => {
  const continues = {
    processingExceptionHandler: 'continue',
    errorsDeadLetterQueueTopicName: 'letters',
  } as const

  test('a rejection is decided on in the turn of its record: those before it are done with', async () => {
    const desk = new Desk()
    await using local = await opened(mapping(desk, 4), continues)
    local.append('in', record('a', 'a'), record('b', 'b'), record('c', 'c'))
    await local.turn()
    await desk.reject('b', new Error('none'))
    await desk.answer('c')
    await local.turn()
    assert.deepEqual(local.uncommitted, [])
    await desk.answer('a')
    await local.turn()
    assert.deepEqual(
      local.uncommitted.map(({ topic, value }) => `${topic} ${value}`),
      ['out a!', 'letters b', 'out c!'],
    )
    assert.equal(local.counters.deadLetters, 1)
  })

  test('without a handler it ends the thread, with the offset of its record, and what was before it is whole', async () => {
    const desk = new Desk()
    await using local = await opened(mapping(desk, 4))
    local.append('in', record('a', 'a'), record('b', 'b'), record('c', 'c'))
    await local.turn()
    await desk.reject('b', new Error('none'))
    await local.turn()
    await desk.answer('a', 'c')
    await assert.rejects(local.turn(), {
      code: 'processing-failed',
      message: /^in partition 0 offset 1, processor KSTREAM-MAPVALUESASYNC-0000000001: none$/,
    })
    await local.commit()
    assert.deepEqual(local.committed, { in: 1 })
    assert.deepEqual(
      local.outputs.map(({ value }) => value),
      ['a!'],
    )
  })

  test('a RetriableError has the record tried again, and holds its key alone', async () => {
    const desk = new Desk()
    await using local = await opened(mapping(desk, 4), { taskTimeoutMs: 10_000 })
    local.append('in', record('k', '1'), record('k', '2'), record('other', '3'))
    await local.turn()
    await desk.reject('1', new RetriableError('away'))
    await local.turn()
    const dueMs = local.task.retryMs
    assert.ok(dueMs >= local.nowMs + 80 && dueMs <= local.nowMs + 120, `${dueMs - local.nowMs} ms`)
    assert.equal(local.task.isRecordUnderWay, false)
    local.append('in', record('new', '4'))
    await local.turn()
    assert.deepEqual(desk.begun, ['1', '3', '4'])
    await desk.answer('3', '4')
    local.nowMs = dueMs
    await local.turn()
    assert.deepEqual(desk.begun, ['1', '3', '4', '1'])
    await desk.answer('1')
    await local.turn()
    await desk.answer('2')
    await local.turn()
    assert.deepEqual(local.values(), ['1!', '2!', '3!', '4!'])
    assert.equal(local.counters.retries, 1)
    assert.deepEqual(local.warnings, [
      'a record is tried again after a pause; weir_process_retries_total counts the attempts',
    ])
  })

  test('when its time is over, the handler decides', async () => {
    const desk = new Desk()
    await using local = await opened(mapping(desk, 4), { ...continues, taskTimeoutMs: 1_000 })
    local.append('in', record('k', '1'), record('k', '2'))
    await local.turn()
    while (desk.open.has('1')) {
      await desk.reject('1', new RetriableError('away'))
      await local.turn()
      if (local.task.retryMs !== Number.POSITIVE_INFINITY) local.nowMs = local.task.retryMs
      await local.turn()
    }
    assert.equal(local.nowMs, 1_001_000)
    assert.deepEqual(
      local.uncommitted.map(({ topic, value }) => `${topic} ${value}`),
      ['letters 1'],
    )
    assert.equal(desk.begun.at(-1), '2')
  })

  test('a promise that takes too long has failed: it is told so, and what it gives later is dropped', async () => {
    const desk = new Desk()
    await using local = await opened(mapping(desk, 1), { ...continues, asyncTimeoutMs: 500 })
    local.append('in', record('a', 'a'), record('b', 'b'))
    await local.turn()
    assert.equal(local.task.nextWallClockMs, local.nowMs + 500)
    const a = desk.open.get('a')!
    local.nowMs += 499
    await local.turn()
    assert.equal(a.signal.aborted, false)
    local.nowMs += 1
    await local.turn()
    assert.equal(a.signal.aborted, true)
    assert.match(
      String(a.signal.reason),
      /waited for a promise for longer than 500 ms \(WEIR_ASYNC_TIMEOUT_MS\)/,
    )
    a.resolve('late')
    await desk.answer('b')
    await local.turn()
    assert.deepEqual(
      local.uncommitted.map(({ topic, value }) => `${topic} ${value}`),
      ['letters a', 'out b!'],
    )
  })

  test('a thread that was held up hears first what has come meanwhile', async () => {
    const desk = new Desk()
    await using local = await opened(mapping(desk, 3), { ...continues, asyncTimeoutMs: 500 })
    local.append('in', record('a', 'a'), record('b', 'b'), record('c', 'c'))
    await local.turn()
    local.nowMs += 30_000
    await local.turn()
    assert.equal(desk.open.get('a')!.signal.aborted, false)
    assert.equal(local.task.nextWallClockMs, local.nowMs + 250)
    await desk.answer('a', 'c')
    local.nowMs += 250
    await local.turn()
    assert.deepEqual(
      local.uncommitted.map(({ topic, value }) => `${topic} ${value}`),
      ['out a!', 'letters b', 'out c!'],
    )
  })

  test('records that cannot be read are decided on in their turn, and count as processed', async () => {
    const desk = new Desk()
    await using local = await opened(mapping(desk, 3), {
      ...continues,
      deserializationExceptionHandler: 'continue',
    })
    const broken = { key: Buffer.from('k'), value: Buffer.from([0xff]), timestamp: 5_000 }
    local.append('in', record('a', 'a', 10), broken, broken, record('b', 'b', 20))
    await local.turn()
    assert.deepEqual([local.counters.deadLetters, desk.begun.join()], [0, 'a'])
    await desk.answer('a')
    assert.equal(await local.turn(), 3)
    assert.equal(local.task.recordsProcessed, 3)
    assert.deepEqual([local.counters.deadLetters, desk.begun.join()], [2, 'a,b'])
    // Their timestamps do not count.
    assert.equal(decodeOffsetMetadata(local.task.offsets()[0]!.metadata), 10)
  })

  for (const handler of ['none', 'letters'] as const) {
    test(`a time-out without an answer to it ends the thread by a code of its own; dead letters: ${handler}`, async () => {
      const desk = new Desk()
      await using local = await opened(mapping(desk, 1), {
        asyncTimeoutMs: 500,
        ...(handler === 'letters' && { errorsDeadLetterQueueTopicName: 'letters' }),
      })
      local.append('in', record('a', 'a'))
      await local.turn()
      local.nowMs += 500
      await assert.rejects(local.turn(), {
        code: 'async-timeout',
        message: /offset 0.*MAPVALUESASYNC.*longer than 500 ms/,
      })
    })
  }

  test('a RetriableError in the turn: outputs are taken back, and the promise is made anew', async () => {
    const attempts: string[] = []
    class Torn implements AsyncProcessor<string, string, string, string, string> {
      async process({ value }: Text): Promise<string> {
        attempts.push(value)
        return `${value} ${attempts.length}`
      }

      complete(
        { key, timestamp, headers }: Text,
        value: string,
        context: ProcessorContext<string, string>,
      ): void {
        context.forward({ key, value, timestamp, headers })
        if (attempts.length < 3) throw new RetriableError('not yet')
      }
    }
    await using local = await opened(withProcessor(() => new Torn()))
    local.append('in', record('k', 'a'))
    await local.run()
    assert.deepEqual(attempts, ['a', 'a', 'a'])
    assert.deepEqual(local.values(), ['a 3'])
  })

  test('another attempt gets the value as it came, and a signal that is asked for late tells that nobody waits', async () => {
    const seen: string[] = []
    let late: AbortSignal | null = null
    const topology = new Topology()
      .addSource('source', { topics: 'in', key: serdes.string, value: serdes.json<string[]>() })
      .addAsyncProcessor(
        'waiting',
        () => ({
          async process({ value }: StreamRecord<string, string[]>, context: AsyncContext) {
            seen.push(value.join())
            value.push('changed')
            if (seen.length === 1) throw new RetriableError('not yet')
            await told()
            await told()
            late = context.signal
          },
        }),
        { parents: 'source' },
      )
    await using local = await LocalTask.open(topology)
    local.append('in', record('k', '["a"]'))
    await local.turn()
    await told()
    await local.turn()
    local.nowMs = local.task.retryMs
    await local.turn()
    assert.deepEqual(seen, ['a', 'a'])
    await local.task.suspend()
    for (let wait = 0; wait < 3; wait++) await told()
    assert.equal((late as AbortSignal | null)?.aborted, true)
  })

  test('of a record that makes several promises, all are made anew when one may pass; none before all have settled', async () => {
    const desk = new Desk()
    const topology = defineTopology((builder) => {
      builder
        .stream('in', text)
        .flatMap(({ key, value }) =>
          ['x', 'y', 'z'].map((part) => ({ key: `${key}${part}`, value: `${value}${part}` })),
        )
        .mapValuesAsync((value, _key, signal) => desk.wait(value, signal), { concurrency: 2 })
        .to('out', text)
    })
    await using local = await opened(topology)
    local.append('in', record('k', '1'))
    await local.turn()
    assert.deepEqual(desk.begun, ['1x', '1y'])
    await desk.reject('1x', new RetriableError('away'))
    await local.turn()
    // The third does not begin, and the second is waited for.
    assert.deepEqual(desk.begun, ['1x', '1y'])
    assert.equal(local.task.retryMs, Number.POSITIVE_INFINITY)
    await desk.answer('1y')
    await local.turn()
    local.nowMs = local.task.retryMs
    await local.turn()
    assert.deepEqual(desk.begun.slice(2), ['1x', '1y'])
    await desk.answer('1x', '1y')
    await local.turn()
    await desk.answer('1z')
    await local.turn()
    assert.deepEqual(local.values(), ['1x!', '1y!', '1z!'])
  })
})

describe('what an async processor may do', () => {
  /** What `use` throws when it is called in `process`, after an await. */
  async function refused(
    use: (rows: KeyValueStore<string, string>, context: ProcessorContext<string, string>) => unknown,
  ): Promise<string> {
    let kept!: ProcessorContext<string, string>
    const supplier = (): AsyncProcessor<string, string, string, string, string> => ({
      init(context) {
        kept = context
      },
      async process() {
        const rows = kept.stateStore<KeyValueStore<string, string>>('rows')
        await told()
        try {
          use(rows, kept)
          return 'nothing'
        } catch (error) {
          return (error as Error).message
        }
      },
      complete({ key, timestamp, headers }, value, context) {
        context.forward({ key, value, timestamp, headers })
      },
    })
    await using local = await opened(withProcessor(supplier))
    local.append('in', record('k', 'v'))
    await local.run()
    return local.values()[0]!
  }

  test('after an await it neither reads nor writes, nor forwards, nor schedules', async () => {
    assert.match(
      await refused((rows) => rows.get('k')),
      /^get of store rows: an async processor reads state before its first await/,
    )
    assert.match(
      await refused((rows) => rows.put('k', 'v')),
      /^put of store rows: an async processor changes state and forwards in complete\(\)/,
    )
    assert.match(
      await refused((_, context) =>
        context.forward({ key: 'k', value: 'v', timestamp: 0, headers: null as never }),
      ),
      /^forward: an async processor/,
    )
    assert.match(
      await refused((_, context) => context.schedule({ intervalMs: 1, type: 'stream-time' }, () => {})),
      /^schedule: /,
    )
  })

  test('before it, it reads what its key has put, and writes nothing', async () => {
    const seen: (string | null)[] = []
    const refusals: unknown[] = []
    class Reading implements AsyncProcessor<string, string, string, string, void> {
      async process({ key, value }: Text, context: AsyncContext): Promise<void> {
        const rows = context.stateStore<ReadOnlyKeyValueStore<string, string>>('rows')
        seen.push(rows.get(key))
        try {
          ;(rows as KeyValueStore<string, string>).put(key, value)
        } catch (error) {
          refusals.push(error)
        }
        const { topic, partition, offset } = context.recordMetadata()
        assert.deepEqual([topic, partition, `v${offset}`], ['in', 0, value])
      }

      complete({ key, value }: Text, _: void, context: ProcessorContext<string, string>): void {
        context.stateStore<KeyValueStore<string, string>>('rows').put(key, value)
      }
    }
    await using local = await opened(withProcessor(() => new Reading()))
    local.append(
      'in',
      record('a', 'v0'),
      record('b', 'v1'),
      record('a', 'v2'),
      record('b', 'v3'),
      record('a', 'v4'),
    )
    await local.run()
    assert.deepEqual(seen.sort(), [null, null, 'v0', 'v1', 'v2'].sort())
    assert.equal(refusals.length, 5)
  })

  test('it may have nothing to do in the turn', async () => {
    const values: string[] = []
    await using local = await opened(
      withProcessor(() => ({
        async process({ value }: Text) {
          values.push(value)
        },
      })),
    )
    local.append('in', record('k', 'a'), record('k', 'b'))
    await local.run()
    await local.commit()
    assert.deepEqual(values, ['a', 'b'])
    assert.deepEqual(local.committed, { in: 2 })
  })

  test('what throws instead of answering is a rejection, and what is no promise a value', async () => {
    const supplier = (): AsyncProcessor<string, string, string, string, string> => ({
      process({ value }) {
        if (value === 'bad') throw new Error('no promise at all')
        return `${value}!` as never
      },
      complete({ key, timestamp, headers }, value, context) {
        context.forward({ key, value, timestamp, headers })
      },
    })
    await using local = await opened(withProcessor(supplier), {
      processingExceptionHandler: 'continue',
    })
    local.append('in', record('k', 'a'), record('k', 'bad'), record('k', 'b'))
    await local.run()
    assert.deepEqual(local.values(), ['a!', 'b!'])
    assert.equal(local.counters.recordsDropped, 1)
  })

  test('a scan that it leaves open across an await is closed', async () => {
    const ends: string[] = []
    class Scanning implements AsyncProcessor<string, string, string, string, void> {
      async process(_: Text, context: AsyncContext): Promise<void> {
        const scan = context.stateStore<ReadOnlyKeyValueStore<string, string>>('rows').all()
        await told()
        try {
          ends.push(`${[...scan].length} rows`)
        } catch (error) {
          ends.push((error as Error).message)
        }
      }

      complete({ key, value }: Text, _: void, context: ProcessorContext<string, string>): void {
        context.stateStore<KeyValueStore<string, string>>('rows').put(key, value)
      }
    }
    await using local = await opened(withProcessor(() => new Scanning()))
    local.append('in', record('k', 'a'))
    await local.run()
    local.append('in', record('k', 'b'))
    await local.run()
    const refusal = 'a scan of an async processor ends with the call that opened it, and at its first await'
    assert.deepEqual(ends, [refusal, refusal])
    assert.equal(new Set(local.warnings).size, 1)
    assert.match(local.warnings[0]!, /^an iterator was left open/)
  })

  test('what keeps records is told of it: a processor above an async one has no punctuators', async () => {
    const topology = new Topology()
      .addSource('source', { topics: 'in', ...text })
      .addProcessor(
        'above',
        () => ({
          init: (context) => void context.schedule({ intervalMs: 1, type: 'stream-time' }, () => {}),
          process: (record, context) => context.forward(record),
        }),
        { parents: 'source' },
      )
      .addAsyncProcessor('waiting', () => ({ process: async () => {} }), { parents: 'above' })
    await assert.rejects(LocalTask.open(topology), {
      code: 'processing-failed',
      message:
        /processor above: schedule: a processor above an async one has none; schedule in the async one, or below it$/,
    })
  })
})
