import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import {
  buildDeadLetter,
  defineTopology,
  type ErrorHandlerContext,
  type FailedOutput,
  Headers,
  RetriableError,
  type StreamRecord,
  serdes,
  stores,
  TimeWindows,
  Topology,
  type TopologyModule,
} from '../../../src/index.ts'
import { type TestDriverOptions, TopologyTestDriver } from '../../../src/testing/index.ts'

const text = { key: serdes.string, value: serdes.string }
const bytes = { key: serdes.bytes, value: serdes.bytes }
const numbers = { key: serdes.string, value: serdes.int32 }

const letters = { errorsDeadLetterQueueTopicName: 'letters' }
const continues = {
  deserializationExceptionHandler: 'continue',
  processingExceptionHandler: 'continue',
  productionExceptionHandler: 'continue',
} as const

function int32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeInt32BE(value)
  return buffer
}

/** What a dead letter says of its error. */
function told(headers: Headers): Record<string, string | undefined> {
  const entries = ['exception', 'message', 'topic', 'partition', 'offset'].map((name) => [
    name,
    headers.last(`__streams.errors.${name}`)?.value?.toString(),
  ])
  return Object.fromEntries(entries)
}

async function opened(topology: TopologyModule, options: TestDriverOptions = {}) {
  const driver = await TopologyTestDriver.open(topology, { initialWallClockTimeMs: 1_000_000, ...options })
  return {
    driver,
    input: (topic = 'in') => driver.createInputTopic(topic, { ...bytes, startTimestamp: 1_000 }),
    output: (topic = 'out') => driver.createOutputTopic(topic, text),
    letters: () => driver.createOutputTopic('letters', bytes),
    [Symbol.asyncDispose]: () => driver.close(),
  }
}

describe('a record that cannot be read', () => {
  const summed = defineTopology((builder) => {
    builder
      .stream('in', numbers)
      .groupByKey()
      .windowedBy(TimeWindows.of({ sizeMs: 10, graceMs: 0 }))
      .reduce((sum, value) => sum + value, { store: 'sums', value: serdes.int32 })
      .toStream()
      .map(({ key, value }) => ({ key: key.key, value: String(value) }))
      .to('out', text)
  })

  test('is dropped with all that it would have done: its timestamp does not count', async () => {
    await using run = await opened(summed, { ...continues, ...letters })
    const input = run.input()
    await input.pipeInput(Buffer.from('k'), int32(1), 1_005)
    const headers = Headers.empty
      .with('from', 'test')
      .with('blob', Buffer.from([0xff, 0, 1]))
      .with('none', null)
    const torn = { key: Buffer.from('k'), value: Buffer.from([1, 2, 3]), timestamp: 9_999, headers }
    await input.pipeRecord(torn)
    // The window would have closed by the torn record's time.
    await input.pipeInput(Buffer.from('k'), int32(2), 1_006)
    assert.deepEqual(run.output().readValuesToList(), ['1', '3'])
    assert.equal(run.driver.recordsDropped, 1)
    const [letter, ...more] = run.letters().readRecordsToList()
    assert.equal(more.length, 0)
    assert.deepEqual([letter!.key, letter!.value, letter!.timestamp], [torn.key, torn.value, 9_999])
    assert.deepEqual([...letter!.headers].slice(0, 3), [...headers])
    assert.deepEqual(told(letter!.headers), {
      exception: 'DeserializationError',
      message: 'the value (3 bytes) is no int32: 4 bytes are expected, not 3',
      topic: 'in',
      partition: '0',
      offset: '1',
    })
    assert.match(letter!.headers.last('__streams.errors.stacktrace')!.value!.toString(), /\nCaused by: /)
  })

  test('a value that nothing reads is read all the same, as in Kafka Streams', async () => {
    const counted = defineTopology((builder) => {
      builder.stream('in', numbers).groupByKey().count({ store: 'counts' })
    })
    await using run = await opened(counted, continues)
    await run.input().pipeInput(Buffer.from('k'), Buffer.from([1]))
    await run.input().pipeInput(Buffer.from('k'), int32(1))
    assert.equal(run.driver.keyValueStore('counts').get('k'), 1)
  })

  test('a key', async () => {
    const copied = defineTopology((builder) => {
      builder
        .stream('in', { key: serdes.int32, value: serdes.string })
        .mapValues(String)
        .to('out', text as never)
    })
    await using run = await opened(copied, { ...continues, ...letters })
    await run.input().pipeInput(Buffer.from('abc'), Buffer.from('v'))
    assert.match(told(run.letters().readRecord()!.headers).message!, /the key \(3 bytes\) is no int32/)
  })

  test('of a global store: dropped, and nothing is written', async () => {
    const joined = defineTopology((builder) => {
      builder.globalTable('rates', { ...numbers, store: 'rates' })
      builder.stream('in', text).to('out', text)
    })
    await using run = await opened(joined, { ...continues, ...letters })
    await run.input('rates').pipeInput(Buffer.from('k'), int32(2))
    await run.input('rates').pipeInput(Buffer.from('k'), Buffer.from([3]))
    assert.equal(run.driver.keyValueStore('rates').get('k'), 2)
    assert.equal(run.driver.recordsDropped, 1)
    assert.equal(run.letters().isEmpty, true)
  })

  test('fails with a dead letter', async () => {
    await using run = await opened(summed, letters)
    await assert.rejects(run.input().pipeInput(Buffer.from('k'), Buffer.from([1])), {
      code: 'deserialization-failed',
    })
  })

  test('a handler in the topology sees its bytes, and comes before the setting', async () => {
    const seen: ErrorHandlerContext[] = []
    const own = defineTopology(
      (builder) => {
        builder.stream('in', numbers).mapValues(String).to('out', text)
      },
      {
        deadLetterTopics: ['mine'],
        deserializationExceptionHandler: (context, error) => {
          seen.push(context)
          return { result: 'continue', deadLetters: [buildDeadLetter('mine', context, error)] }
        },
      },
    )
    await using run = await opened(own, letters)
    await run.input().pipeInput(null, Buffer.from([7]), 1_234)
    assert.deepEqual(
      { ...seen[0], headers: null },
      {
        topic: 'in',
        partition: 0,
        offset: 0,
        headers: null,
        processorNode: 'KSTREAM-SOURCE-0000000000',
        taskId: '0_0',
        timestamp: 1_234,
        sourceRawKey: null,
        sourceRawValue: Buffer.from([7]),
        deadLetterTopic: 'letters',
      },
    )
    assert.equal(run.letters().isEmpty, true)
    const mine = run.driver.createOutputTopic('mine', bytes).readRecord()!
    assert.deepEqual([mine.key, mine.value], [null, Buffer.from([7])])
  })

  for (const [answer, message] of [
    ['skip', /it answered "skip"; allowed: fail, continue, or \{ result, deadLetters \}/],
    [undefined, /it answered undefined/],
    [
      { result: 'continue', deadLetters: [{ topic: 'else', key: null, value: null }] },
      /topic else; allowed: none/,
    ],
  ] as const) {
    test(`an answer that is none: ${JSON.stringify(answer)}`, async () => {
      const own = defineTopology((builder) => builder.stream('in', numbers).to('out', numbers), {
        deserializationExceptionHandler: () => answer as never,
      })
      await using run = await opened(own)
      await assert.rejects(run.input().pipeInput(null, Buffer.from([7])), message)
    })
  }
})

describe('a processor that throws', () => {
  test('drops the record there: what it forwarded before, and what others make of it, stays', async () => {
    const topology = new Topology()
      .addSource('source', { topics: 'in', ...text })
      .addProcessor(
        'first',
        () => ({
          process(record, context) {
            context.forward(record, 'sink')
            context.forward(
              { ...record, value: 'again', headers: record.headers.with('added', 'x') },
              'second',
            )
            context.forward({ ...record, value: 'after', headers: record.headers }, 'sink')
          },
        }),
        { parents: 'source' },
      )
      .addProcessor(
        'second',
        () => ({
          process() {
            throw new RangeError('not this one')
          },
        }),
        { parents: 'first' },
      )
      .addSink('sink', { parents: 'first', topic: 'out', ...text })
    await using run = await opened(topology, { ...continues, ...letters })
    const headers = Headers.empty.with('own', 'y')
    await run.input().pipeRecord({ key: Buffer.from('k'), value: Buffer.from('v'), timestamp: 5, headers })
    assert.deepEqual(run.output().readValuesToList(), ['v', 'after'])
    const letter = run.letters().readRecord()!
    assert.deepEqual([letter.key, letter.value], [Buffer.from('k'), Buffer.from('v')])
    assert.deepEqual(
      [...letter.headers].slice(0, 2).map(({ key }) => key),
      ['own', '__streams.errors.exception'],
    )
    assert.equal(told(letter.headers).exception, 'RangeError')
  })

  test('behind a repartition topic its record is the source record', async () => {
    const deep = defineTopology((builder) => {
      builder
        .stream('in', text)
        .selectKey(({ value }) => value.toUpperCase())
        .repartition({ name: 'again', ...text })
        .mapValues((value) => {
          if (value === 'bad') throw new Error('bad')
          return value
        })
        .to('out', text)
    })
    await using run = await opened(deep, { ...continues, ...letters })
    for (const value of ['good', 'bad']) await run.input().pipeInput(Buffer.from('k'), Buffer.from(value))
    assert.deepEqual(run.output().readValuesToList(), ['good'])
    const letter = run.letters().readRecord()!
    assert.deepEqual([letter.key, letter.value], [Buffer.from('BAD'), Buffer.from('bad')])
    assert.equal(told(letter.headers).topic, 'test-driver-again-repartition')
    assert.equal(told(letter.headers).offset, '1')
  })

  test('a punctuator has no record', async () => {
    const seen: { context: ErrorHandlerContext; record: StreamRecord<unknown, unknown> | null }[] = []
    const ticking = new Topology({
      processingExceptionHandler: (context, record) => {
        seen.push({ context, record })
        return 'continue'
      },
    })
      .addSource('source', { topics: 'in', ...text })
      .addProcessor(
        'ticker',
        () => ({
          init(context) {
            context.schedule({ intervalMs: 100, type: 'wall-clock-time' }, () => {
              throw new Error('tick')
            })
          },
          process() {},
        }),
        { parents: 'source' },
      )
    await using run = await opened(ticking)
    await run.driver.advanceWallClockTime(100)
    await run.driver.advanceWallClockTime(100)
    assert.equal(seen.length, 2)
    assert.equal(seen[0]!.record, null)
    const { topic, partition, offset, processorNode, timestamp } = seen[0]!.context
    assert.deepEqual(
      [topic, partition, offset, processorNode, timestamp],
      [null, -1, -1, 'ticker', 1_000_100],
    )
  })

  test('fail: asked once, though the error passes several nodes', async () => {
    let asked = 0
    const nested = defineTopology(
      (builder) => {
        builder
          .stream('in', text)
          .peek(() => {})
          .filter(() => true)
          .mapValues((): string => {
            throw new Error('deep')
          })
          .to('out', text)
      },
      {
        processingExceptionHandler: () => {
          asked++
          return 'fail'
        },
      },
    )
    await using run = await opened(nested)
    await assert.rejects(run.input().pipeInput(null, Buffer.from('v')), {
      code: 'processing-failed',
      message: 'in partition 0 offset 0, processor KSTREAM-MAPVALUES-0000000003: deep',
    })
    assert.equal(asked, 1)
  })

  test('a handler that throws', async () => {
    const own = defineTopology(
      (builder) => {
        builder.stream('in', text).mapValues(() => {
          throw new Error('first')
        })
      },
      {
        processingExceptionHandler: () => {
          throw new Error('second')
        },
      },
    )
    await using run = await opened(own)
    await assert.rejects(run.input().pipeInput(null, Buffer.from('v')), /handler failed \(second\).*: first/)
  })
})

describe('an output that cannot be written', () => {
  const picky = serdes.custom<string>({
    name: 'picky',
    serialize(value) {
      if (value === 'bad') throw new TypeError('bad value')
      return Buffer.from(value)
    },
    deserialize: String,
  })

  test('the handler is told which part, and the record around it', async () => {
    const seen: FailedOutput[] = []
    const own = defineTopology(
      (builder) => {
        const stream = builder.stream('in', text)
        stream.to('out', { key: serdes.string, value: picky })
        stream.selectKey(({ value }) => value).to('out', { key: picky, value: serdes.string })
      },
      {
        productionExceptionHandler: (_, record) => {
          seen.push(record)
          return 'continue'
        },
      },
    )
    await using run = await opened(own)
    for (const value of ['one', 'bad', 'two'])
      await run.input().pipeInput(Buffer.from('k'), Buffer.from(value), 10)
    assert.deepEqual(
      run
        .output()
        .readKeyValuesToList()
        .map(({ key, value }) => `${key}=${value}`),
      ['k=one', 'one=one', 'k=two', 'two=two'],
    )
    assert.deepEqual(
      seen.map(({ stage, key, value, topic, timestamp }) => [stage, key, value, topic, timestamp]),
      [
        ['value', 'k', 'bad', 'out', 10],
        ['key', 'bad', 'bad', 'out', 10],
      ],
    )
  })

  test('too large for the producer: nothing of it is written', async () => {
    const grown = defineTopology((builder) => {
      builder
        .stream('in', text)
        .mapValues((value) => value.repeat(1_000))
        .to('out', text)
    })
    await using run = await opened(grown, { ...continues, ...letters })
    for (const length of [1, 1_000, 2]) await run.input().pipeInput(null, Buffer.alloc(length, 'x'))
    assert.deepEqual(
      run
        .output()
        .readValuesToList()
        .map((value) => value!.length),
      [1_000, 2_000],
    )
    const letter = run.letters().readRecord()!
    assert.equal(letter.value!.length, 1_000)
    assert.match(
      told(letter.headers).message!,
      /a record for out has 1000000 bytes; the producer takes 999964/,
    )
  })

  test('a dead letter that is too large fails: a record that is to be kept is never dropped', async () => {
    const none = defineTopology((builder) => {
      builder.stream('in', numbers).to('out', numbers)
    })
    await using run = await opened(none, { ...continues, ...letters })
    await assert.rejects(
      run.input().pipeInput(null, Buffer.alloc(1_000_000)),
      /raise WEIR_PRODUCER_MESSAGE_MAX_BYTES/,
    )
  })

  test('a null key has no window, and is no error', async () => {
    const windowed = { key: serdes.timeWindowed(serdes.string, 10), value: serdes.string }
    const copied = defineTopology((builder) => builder.stream('in', windowed).to('out', windowed))
    await using run = await opened(copied)
    await run.input().pipeInput(null, Buffer.from('v'))
    assert.deepEqual(run.output().readValuesToList(), ['v'])
  })

  test('retry means fail: it would be so again', async () => {
    const own = defineTopology(
      (builder) => builder.stream('in', text).to('out', { key: serdes.string, value: picky }),
      {
        productionExceptionHandler: () => 'retry',
      },
    )
    await using run = await opened(own)
    await assert.rejects(run.input().pipeInput(null, Buffer.from('bad')), { code: 'production-failed' })
  })
})

describe('a processor that asks for another attempt', () => {
  /** Fails `failures` times at each record, after it has forwarded and put. */
  const flaky = (failures: number) =>
    new Topology()
      .addSource('source', { topics: 'in', ...text })
      .addStateStore(stores.keyValue({ name: 'attempts', key: serdes.string, value: serdes.int32 }))
      .addProcessor(
        'flaky',
        () => ({
          process(record: StreamRecord<string, string>, context) {
            const attempts =
              context.stateStore<import('../../../src/index.ts').KeyValueStore<string, number>>('attempts')
            const attempt = (attempts.get(record.value) ?? 0) + 1
            attempts.put(record.value, attempt)
            context.forward(record)
            if (attempt <= failures) throw new RetriableError('not now')
          },
        }),
        { parents: 'source', stores: ['attempts'] },
      )
      .addSink('sink', { parents: 'flaky', topic: 'out', ...text })

  test('outputs are those of the attempt that succeeds; what it has put stays', async () => {
    await using run = await opened(flaky(3))
    const before = run.driver.wallClockTimeMs
    for (const value of ['a', 'b']) await run.input().pipeInput(null, Buffer.from(value))
    assert.deepEqual(run.output().readValuesToList(), ['a', 'b'])
    assert.equal(run.driver.keyValueStore('attempts').get('a'), 4)
    // Pauses of about 100, 200 and 400 ms for each.
    const waited = run.driver.wallClockTimeMs - before
    assert.ok(waited >= 2 * 560 && waited <= 2 * 840, `${waited} ms`)
    assert.equal(run.driver.recordsDropped, 0)
  })

  test('when the time is over, the handler decides', async () => {
    await using run = await opened(flaky(1_000), { ...continues, ...letters, taskTimeoutMs: 5_000 })
    await run.input().pipeInput(null, Buffer.from('a'))
    assert.equal(told(run.letters().readRecord()!.headers).exception, 'RetriableError')
    assert.equal(run.driver.wallClockTimeMs, 1_005_000)
    // As in Kafka Streams, what the record had forwarded when it was dropped stays.
    assert.deepEqual(run.output().readValuesToList(), ['a'])
  })

  test('without a handler it ends the thread', async () => {
    await using run = await opened(flaky(1_000), { taskTimeoutMs: 0 })
    await assert.rejects(run.input().pipeInput(null, Buffer.from('a')), /processor flaky: not now/)
    assert.equal(run.driver.wallClockTimeMs, 1_000_000)
  })
})
