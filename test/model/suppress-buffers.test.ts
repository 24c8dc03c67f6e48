/** Suppression buffers against a sorted list, over commits, restarts, aborts and crashes in the middle of a commit. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import fc from 'fast-check'

import { Headers } from '../../src/process/headers.ts'
import type { RecordOrigin } from '../../src/process/record-origin.ts'
import { serdes } from '../../src/serde/serdes.ts'
import type { SuppressBuffer } from '../../src/state/suppress-buffer.ts'
import type { StoreDefinition } from '../../src/topology/definition.ts'
import { StoreLaboratory } from '../support/task-store.ts'

const RUNS = Number(process.env.WEIR_TEST_RUNS ?? 150)

const laboratory = new StoreLaboratory()
before(() => laboratory.start())
after(() => laboratory.stop())

type Held = SuppressBuffer<string, string>

interface ModelChange {
  readonly key: string
  readonly timeMs: number
  readonly prior: string | null
  readonly oldValue: string | null
  readonly newValue: string | null
  readonly origin: RecordOrigin
}

const maybe = fc.option(fc.string({ unit: 'grapheme', maxLength: 8 }), { nil: null, freq: 3 })
const header = fc.record(
  {
    key: fc.string({ maxLength: 3 }),
    value: fc.option(
      fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
      { nil: null },
    ),
  },
  { noNullPrototype: true },
)
const command = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      // Order is that of UTF-8, which is not that of these texts.
      key: fc.constantFrom('a', 'aa', 'b', 'é', '\u{ffff}', '\u{1f600}'),
      timeMs: fc.nat(5),
      oldValue: maybe,
      newValue: maybe,
      origin: fc.record({
        topic: fc.constantFrom('t', 'tö'),
        partition: fc.nat(3),
        offset: fc.integer({ min: -1, max: 2 ** 40 }),
        timestamp: fc.nat(2 ** 42),
        headers: fc.array(header, { maxLength: 2 }).map((headers) => new Headers(headers)),
      }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('remove' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('commit' as const, 'discard' as const, 'reopen' as const, 'crash' as const),
    }),
  },
)

function compare(a: ModelChange, b: ModelChange): number {
  return a.timeMs - b.timeMs || Buffer.compare(Buffer.from(a.key), Buffer.from(b.key))
}

function bytesOf({ key, prior, oldValue, newValue, origin }: ModelChange): number {
  const length = (text: string | null): number => (text === null ? 0 : Buffer.byteLength(text))
  const old = prior === oldValue ? 0 : length(oldValue)
  const headers = [...origin.headers].reduce((sum, one) => sum + one.key.length + (one.value?.length ?? 0), 0)
  return 28 + length(key) + length(prior) + old + length(newValue) + origin.topic.length + headers
}

function check(buffer: Held, model: ReadonlyMap<string, ModelChange>): void {
  const sorted = [...model.values()].sort(compare)
  assert.equal(buffer.size, sorted.length)
  assert.equal(
    buffer.bytes,
    sorted.reduce((sum, change) => sum + bytesOf(change), 0),
  )
  assert.equal(buffer.firstTimeMs, sorted[0]?.timeMs ?? Infinity)
  for (const { key, prior } of sorted) assert.equal(buffer.prior(key), prior)
  assert.equal(buffer.prior('not there'), undefined)
  if (sorted.length === 0) return
  const { key, newValue, oldValue, origin } = sorted[0]!
  const first = buffer.first()
  assert.deepEqual([first.key, first.newValue, first.oldValue], [key, newValue, oldValue])
  assert.deepEqual(
    { ...first.origin, headers: [...first.origin.headers] },
    {
      ...origin,
      headers: [...origin.headers],
    },
  )
}

describe('a suppression buffer has what waits in order, whatever happens in between', () => {
  test('with a changelog', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 60, size: 'max' }), async (commands) => {
        const definition: StoreDefinition = {
          type: 'suppress-buffer',
          name: 'held',
          key: serdes.string,
          value: serdes.string as never,
          logging: true,
          changelogConfig: {},
        }
        const store = await laboratory.open(definition, 1_000)
        let committed = new Map<string, ModelChange>()
        let model = new Map(committed)
        try {
          for (const step of commands) {
            const buffer = store.store<Held>()
            switch (step.do) {
              case 'put': {
                const { key, timeMs, oldValue, newValue, origin } = step
                const present = model.get(key)
                const prior = present === undefined ? oldValue : present.prior
                const change = { key, timeMs: present?.timeMs ?? timeMs, prior, oldValue, newValue, origin }
                model.set(key, change)
                buffer.put(key, newValue, oldValue, timeMs, origin)
                break
              }
              case 'remove': {
                const [first] = [...model.values()].sort(compare)
                if (first === undefined) break
                model.delete(first.key)
                buffer.removeFirst()
                break
              }
              case 'commit':
                await store.commit()
                committed = new Map(model)
                break
              case 'discard':
                store.discard()
                model = new Map(committed)
                break
              case 'reopen':
                await store.commit()
                committed = new Map(model)
                await store.reopen()
                break
              // The records have reached the changelog: they count.
              case 'crash':
                await store.commitHalf()
                committed = new Map(model)
                await store.crash()
            }
            check(store.store<Held>(), model)
          }
        } finally {
          await store.close()
        }
      }),
      { numRuns: RUNS },
    )
  })

  test('without one nothing is written', async () => {
    const store = await laboratory.open(
      {
        type: 'suppress-buffer',
        name: 'held',
        key: serdes.string,
        value: serdes.string as never,
        logging: false,
        inMemory: true,
        changelogConfig: {},
      },
      1_000,
    )
    const origin = { topic: 't', partition: 0, offset: 1, timestamp: 2, headers: Headers.empty }
    store.store<Held>().put('k', 'v', null, 3, origin)
    assert.equal(store.store<Held>().uncommittedBytes, 0)
    await store.commit()
    assert.equal(store.store<Held>().size, 1)
    await store.reopen()
    assert.equal(store.store<Held>().size, 0)
    await store.close()
  })
})
