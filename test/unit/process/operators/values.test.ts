/** What users' functions may do with what they are given, and what they must return. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { defineTopology } from '../../../../src/dsl/define-topology.ts'
import type { Stream } from '../../../../src/dsl/stream.ts'
import type { StreamsBuilder } from '../../../../src/dsl/streams-builder.ts'
import { Headers } from '../../../../src/process/headers.ts'
import type { Processor, ProcessorContext } from '../../../../src/process/processor.ts'
import type { StreamRecord } from '../../../../src/process/record.ts'
import { serdes } from '../../../../src/serde/serdes.ts'
import { TaskGraph } from '../../../support/task-graph.ts'

const text = { key: serdes.string, value: serdes.string }

interface Basket {
  items: string[]
}

function open(define: (builder: StreamsBuilder) => void): Promise<TaskGraph> {
  return TaskGraph.open(defineTopology(define).build())
}

async function pipeOne(
  define: (stream: Stream<string, string>) => unknown,
  value: string | null = 'v',
): Promise<TaskGraph> {
  const graph = await open((builder) => {
    define(builder.stream('in', text))
  })
  try {
    graph.pipe('in', 'k', value, 5, Headers.empty.with('trace', 'abc'))
    return graph
  } finally {
    await graph[Symbol.asyncDispose]()
  }
}

describe('aggregates', () => {
  test('may be changed in place: neither the store nor another table sees it before it is returned', async () => {
    const seen: {
      readonly table: string
      readonly items: readonly string[] | null
      readonly old?: boolean
    }[] = []
    const shared: Basket = { items: [] }
    await using graph = await open((builder) => {
      const baskets = builder
        .stream('in', text)
        .groupByKey()
        .aggregate({
          initializer: () => shared,
          aggregator: (basket: Basket, item) => {
            basket.items.push(item)
            if (item === 'bad') throw new Error('refused')
            return basket
          },
          value: serdes.json<Basket>(),
          store: 'baskets',
        })
      baskets
        .filter(({ items }) => items.length < 3, { store: 'small' })
        .toStream()
        .forEach(({ value }) => {
          seen.push({ table: 'small', items: value === null ? null : [...value.items] })
        })
    })
    const stored = (name: string): unknown =>
      (graph.keyValueStore(name).get('k') as { value: Basket } | null)?.value ?? null
    graph.pipe('in', 'k', 'a', 1)
    graph.pipe('in', 'k', 'b', 2)
    assert.deepEqual(stored('small'), { items: ['a', 'b'] })
    assert.throws(() => graph.pipe('in', 'k', 'bad', 3), /refused/)
    assert.deepEqual([stored('baskets'), stored('small')], [{ items: ['a', 'b'] }, { items: ['a', 'b'] }])
    graph.pipe('in', 'k', 'c', 4)
    assert.deepEqual([stored('baskets'), stored('small')], [{ items: ['a', 'b', 'c'] }, null])
    assert.deepEqual(shared, { items: [] })
    assert.deepEqual(
      seen.map(({ items }) => items),
      [['a'], ['a', 'b'], null],
    )
  })

  test('two reductions of one stream do not share the first value', async () => {
    await using graph = await open((builder) => {
      const grouped = builder.stream('in', { key: serdes.string, value: serdes.json<Basket>() }).groupByKey()
      const add = (basket: Basket, { items }: Basket): Basket => {
        basket.items.push(...items)
        return basket
      }
      grouped.reduce(add, { store: 'one' })
      grouped.reduce((basket) => basket, { store: 'two' })
    })
    graph.pipe('in', 'k', { items: ['a'] }, 1)
    graph.pipe('in', 'k', { items: ['b'] }, 1)
    const [one, two] = ['one', 'two'].map(
      (name) => (graph.keyValueStore(name).get('k') as { value: Basket }).value,
    )
    assert.deepEqual([one, two], [{ items: ['a', 'b'] }, { items: ['a'] }])
  })

  test('records with a null key or value are dropped and counted', async () => {
    await using graph = await open((builder) => {
      builder.stream('in', text).groupByKey().count({ name: 'counter', store: 'counts' })
    })
    graph.pipe('in', null, 'v', 1)
    graph.pipe('in', 'k', null, 1)
    graph.pipe('in', 'k', 'v', 1)
    assert.deepEqual(graph.dropped, [
      { processor: 'counter', reason: 'null key or value' },
      { processor: 'counter', reason: 'null key or value' },
    ])
  })
})

describe('what a function must return', () => {
  const refused: Readonly<
    Record<string, readonly [define: (stream: Stream<string, string>) => unknown, message: RegExp]>
  > = {
    'map to nothing': [
      (stream) => stream.map((() => {}) as never),
      /^the mapper returned undefined; it must return \{ key, value \}/,
    ],
    'map without a key': [
      (stream) => stream.map((() => ({ value: 1 })) as never),
      /^the mapper returned no key;/,
    ],
    'map without a value': [
      (stream) => stream.map((() => ({ key: 1 })) as never),
      /^the mapper returned no value;.* \(a spread of a record/,
    ],
    'flatMap to nothing': [(stream) => stream.flatMap((() => {}) as never), /iterable/],
    'mapValues to undefined': [
      (stream) => stream.mapValues(() => undefined),
      /^the function returned undefined;/,
    ],
    'flatMapValues to undefined': [
      (stream) => stream.flatMapValues(() => [undefined]),
      /^the function returned undefined;/,
    ],
    'selectKey to undefined': [
      (stream) => stream.selectKey(() => undefined),
      /^the key selector returned undefined;/,
    ],
  }
  for (const [what, [define, message]] of Object.entries(refused)) {
    test(what, async () => {
      await assert.rejects(pipeOne(define), (error: Error) => {
        assert.ok(error instanceof TypeError)
        assert.match(error.message, message)
        return true
      })
    })
  }
})

test('timestamps and headers stay, unless map gives others', async () => {
  const seen: [string, number, string | undefined][] = []
  const see =
    (name: string) =>
    ({ timestamp, headers }: StreamRecord<unknown, unknown>): void => {
      seen.push([name, timestamp, headers.last('trace')?.value?.toString()])
    }
  await pipeOne((stream) => {
    stream.map(({ key, value }) => ({ key: value, value: key })).forEach(see('map'))
    stream
      .map((record) => ({ key: 1, value: 2, timestamp: 7, headers: record.headers.with('trace', 'new') }))
      .forEach(see('changed'))
    stream.selectKey(() => 1).forEach(see('selectKey'))
    stream.flatMapValues(() => [1]).forEach(see('flatMapValues'))
    stream.groupByKey().count().toStream().forEach(see('count'))
  })
  assert.deepEqual(seen, [
    ['map', 5, 'abc'],
    ['changed', 7, 'new'],
    ['selectKey', 5, 'abc'],
    ['flatMapValues', 5, 'abc'],
    ['count', 5, 'abc'],
  ])
})

describe('processValues', () => {
  class Forwarder implements Processor<string, string, string, string> {
    readonly #key: string
    closed = false

    constructor(key: string) {
      this.#key = key
    }

    process(
      { timestamp, headers }: StreamRecord<string, string>,
      context: ProcessorContext<string, string>,
    ): void {
      context.forward({
        key: this.#key,
        value: `${context.taskId} ${context.applicationId}`,
        timestamp,
        headers,
      })
    }
  }

  test('forwards values under the same key', async () => {
    const seen: [string, string][] = []
    await pipeOne((stream) =>
      stream
        .processValues(() => new Forwarder('k'))
        .forEach(({ key, value }) => {
          seen.push([key, value])
        }),
    )
    assert.deepEqual(seen, [['k', '0_0 test']])
  })

  test('refuses another key', async () => {
    await assert.rejects(
      pipeOne((stream) => stream.processValues(() => new Forwarder('other'))),
      { name: 'TypeError', message: /^processValues forwarded a record with another key/ },
    )
  })
})
