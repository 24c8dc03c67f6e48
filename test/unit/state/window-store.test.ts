/** Window stores over the real database, against a list that is searched from end to end. */
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'

import fc from 'fast-check'

import { serdes } from '../../../src/serde/serdes.ts'
import type { TimestampedWindowStore, WindowStore } from '../../../src/state/store.ts'
import type { StoreDefinition } from '../../../src/topology/definition.ts'
import { stores } from '../../../src/topology/stores.ts'
import { isKeyWithin, SegmentedModel } from '../../support/segmented-model.ts'
import { StoreLaboratory } from '../../support/task-store.ts'

const laboratory = new StoreLaboratory()
before(() => laboratory.start())
after(() => laboratory.stop())

const WINDOW_SIZE_MS = 10_000
/** Segments of a minute. */
const RETENTION_MS = 120_000

function definition(options: { retainDuplicates?: boolean; plainKeys?: boolean } = {}): StoreDefinition {
  return stores.window({
    name: 'windows',
    // Without `primitive` the store's keys are compared by their bytes.
    key: options.plainKeys === false ? { ...serdes.string, primitive: false } : serdes.string,
    value: serdes.string,
    retentionMs: RETENTION_MS,
    windowSizeMs: WINDOW_SIZE_MS,
    retainDuplicates: options.retainDuplicates ?? false,
  })
}

const timestamped = stores.timestampedWindow({
  name: 'windows',
  key: serdes.string,
  value: serdes.string,
  retentionMs: RETENTION_MS,
  windowSizeMs: WINDOW_SIZE_MS,
})

const key = fc.string({ unit: fc.constantFrom('a', 'b', '\0', '\u{1f600}'), maxLength: 3 })
const bound = fc.option(key, { nil: null })
/** Relative to a clock that goes on with each step: most lie within the retention, some have expired. */
const time = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: -26, max: 1 }).map((fives) => fives * 5_000) },
  { weight: 1, arbitrary: fc.integer({ min: -250_000, max: 100_000 }) },
)
const value = fc.option(fc.string({ maxLength: 20 }), { nil: null, freq: 4 })
const step = fc.oneof(
  { weight: 120, arbitrary: fc.record({ do: fc.constant('put' as const), key, time, value }) },
  { weight: 50, arbitrary: fc.record({ do: fc.constant('fetch' as const), key, time }) },
  {
    weight: 40,
    arbitrary: fc.record({
      do: fc.constant('fetchKey' as const),
      key,
      from: time,
      to: time,
      reverse: fc.boolean(),
    }),
  },
  {
    weight: 30,
    arbitrary: fc.record({
      do: fc.constant('fetchKeys' as const),
      keyFrom: bound,
      keyTo: bound,
      from: time,
      to: time,
      reverse: fc.boolean(),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('fetchAll' as const),
      from: time,
      to: time,
      reverse: fc.boolean(),
    }),
  },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('all' as const), reverse: fc.boolean() }) },
  { weight: 30, arbitrary: fc.record({ do: fc.constant('trim' as const) }) },
  { weight: 30, arbitrary: fc.record({ do: fc.constant('commit' as const) }) },
  { weight: 15, arbitrary: fc.record({ do: fc.constant('discard' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('snapshot' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('crash' as const), half: fc.boolean() }) },
)

interface Variant {
  readonly definition: StoreDefinition
  /** A value as the store's users see it. */
  readonly shown: (value: string, timestamp: number) => unknown
}

async function agreesWithTheModel(variant: Variant, steps: unknown[], budgetBytes: number): Promise<void> {
  const { definition, shown } = variant
  const duplicates = definition.windows!.retainDuplicates
  const tested = await laboratory.open(definition, budgetBytes)
  let model = new SegmentedModel<unknown>(definition.windows!, 4)
  let committed = model.copy()
  let clock = 0
  const timed = (rows: readonly { time: number; value: unknown }[]): unknown[] =>
    rows.map((row) => ({ key: row.time, value: row.value }))
  const windowed = (rows: readonly { key: string; time: number; value: unknown }[]): unknown[] =>
    rows.map((row) => ({
      key: { key: row.key, window: { start: row.time, end: row.time + WINDOW_SIZE_MS } },
      value: row.value,
    }))
  try {
    for (const command of steps as (typeof step extends fc.Arbitrary<infer S> ? S : never)[]) {
      clock += 10_000
      const at = (time: number): number => Math.max(0, clock + time)
      const store = tested.store<WindowStore<string, unknown>>()
      switch (command.do) {
        case 'put': {
          tested.recordTimestamp = clock
          const start = at(command.time)
          const row = command.value === null ? null : shown(command.value, clock)
          store.put(command.key, row, start)
          if (!duplicates) model.put(command.key, start, 0, row)
          else if (row !== null) model.put(command.key, start, ++model.sequence, row)
          break
        }
        case 'fetch': {
          // With duplicates it is told apart by what was put last.
          if (duplicates) break
          const start = at(command.time)
          const [row] = model.visible((row) => row.key === command.key && row.time === start)
          assert.deepEqual(store.fetch(command.key, start), row?.value ?? null)
          break
        }
        case 'fetchKey': {
          const [from, to] = [at(command.from), at(command.to)]
          using rows = command.reverse
            ? store.backwardFetch(command.key, from, to)
            : store.fetch(command.key, from, to)
          assert.deepEqual(
            [...rows],
            timed(
              model.visible(
                (row) => row.key === command.key && row.time >= from && row.time <= to,
                command.reverse,
              ),
            ),
          )
          break
        }
        case 'fetchKeys': {
          const { keyFrom, keyTo, reverse } = command
          const [from, to] = [at(command.from), at(command.to)]
          using rows = reverse
            ? store.backwardFetch(keyFrom, keyTo, from, to)
            : store.fetch(keyFrom, keyTo, from, to)
          assert.deepEqual(
            [...rows],
            windowed(
              model.visible(
                (row) => isKeyWithin(row.key, keyFrom, keyTo) && row.time >= from && row.time <= to,
                reverse,
              ),
            ),
          )
          break
        }
        case 'fetchAll': {
          const [from, to] = [at(command.from), at(command.to)]
          using rows = command.reverse ? store.backwardFetchAll(from, to) : store.fetchAll(from, to)
          assert.deepEqual(
            [...rows],
            windowed(model.visible((row) => row.time >= from && row.time <= to, command.reverse)),
          )
          break
        }
        case 'all': {
          using rows = command.reverse ? store.backwardAll() : store.all()
          assert.deepEqual([...rows], windowed(model.visible(() => true, command.reverse)))
          break
        }
        case 'trim':
          tested.trim()
          break
        case 'commit':
          await tested.commit()
          committed = model.copy()
          break
        case 'discard':
          tested.discard()
          model = committed.copy()
          break
        case 'snapshot':
          await tested.snapshot()
          break
        case 'reopen':
          await tested.reopen()
          model = committed.copy()
          break
        case 'crash':
          if (command.half) {
            // What is in the changelog is restored, whether or not RocksDB had it.
            await tested.commitHalf()
            committed = model.copy()
          }
          await tested.crash()
          model = committed.copy()
          break
      }
    }
    using rows = tested.store<WindowStore<string, unknown>>().all()
    assert.deepEqual([...rows], windowed(model.visible(() => true)))
  } finally {
    await tested.close()
  }
}

const plainValue = (value: string): unknown => value
const variants: Record<string, Variant> = {
  'a window store': { definition: definition(), shown: plainValue },
  'a window store with keys compared by bytes': {
    definition: definition({ plainKeys: false }),
    shown: plainValue,
  },
  'a window store that retains duplicates': {
    definition: definition({ retainDuplicates: true }),
    shown: plainValue,
  },
  'a timestamped window store': {
    definition: timestamped,
    shown: (value, timestamp) => ({ value, timestamp }),
  },
}

for (const [name, variant] of Object.entries(variants)) {
  test(`${name} reads as a list does, through cache, overlay, RocksDB and changelog`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 20, maxLength: 120 }),
        fc.constantFrom(500, 1 << 20),
        (steps, budgetBytes) => agreesWithTheModel(variant, steps, budgetBytes),
      ),
      { numRuns: 100 },
    )
  })
}

test('of a window with duplicates, fetch finds what was put last', async () => {
  const tested = await laboratory.open(definition({ retainDuplicates: true }), 1 << 20)
  const store = tested.store<WindowStore<string, string>>()
  store.put('a', 'one', 0)
  store.put('a', 'two', 0)
  assert.equal(store.fetch('a', 0), 'two')
  store.put('b', 'three', 0)
  assert.equal(store.fetch('a', 0), null)
  store.put('b', null, 0)
  assert.deepEqual(
    [...store.fetch('a', 0, 0)].map((row) => row.value),
    ['one', 'two'],
  )
  await tested.close()
})

test('duplicates that are put after a restart, or on another disk, do not replace earlier ones', async () => {
  const tested = await laboratory.open(definition({ retainDuplicates: true }), 1 << 20)
  const values = (): string[] =>
    [...tested.store<WindowStore<string, string>>().fetch('a', 0, 0)].map((row) => row.value)
  for (const value of ['one', 'two']) tested.store<WindowStore<string, string>>().put('a', value, 0)
  await tested.commit()
  await tested.reopen()
  tested.store<WindowStore<string, string>>().put('a', 'three', 0)
  await tested.commit()
  await tested.crash()
  tested.store<WindowStore<string, string>>().put('a', 'four', 0)
  assert.deepEqual(values(), ['one', 'two', 'three', 'four'])
  await tested.close()
})

test('a changelog that is long enough for a bulk restore is restored, without what has expired', async () => {
  const tested = await laboratory.open(definition(), 1 << 20)
  const store = tested.store<WindowStore<string, string>>()
  const count = 51_000
  for (let index = 0; index < count; index++) {
    // Ten windows, of which the last two minutes are seen at the end.
    store.put(`k${index % 5_100}`, 'v', Math.floor(index / 5_100) * 30_000)
    if (index % 1_000 === 999) await tested.commit()
  }
  await tested.commit()
  const rows = (): unknown[] => [...tested.store<WindowStore<string, string>>().all()]
  const before = rows()
  assert.equal(before.length, 4 * 5_100)
  await tested.crash()
  assert.deepEqual(rows(), before)
  await tested.close()
})

test('a timestamped window store shows its rows without a copy', async () => {
  const tested = await laboratory.open(timestamped, 1 << 20)
  const store = tested.store<TimestampedWindowStore<string, string>>()
  assert.equal(store.peek('a', 5), null)
  store.update('a', 'one', 1_700_000_000_123, 5)
  assert.deepEqual(store.fetch('a', 5), { value: 'one', timestamp: 1_700_000_000_123 })
  assert.equal(store.peek('a', 5)?.value, 'one')
  store.update('a', null, 1, 5)
  assert.equal(store.peek('a', 5), null)
  await tested.close()
})

test('expired windows are counted, and take no room', async () => {
  const tested = await laboratory.open(definition(), 1 << 20)
  const store = tested.store<WindowStore<string, string>>()
  const big = 'v'.repeat(1000)
  for (let minute = 0; minute < 60; minute++) {
    for (let index = 0; index < 50; index++) store.put(`key-${index}`, big, minute * 60_000)
    await tested.commit()
    await tested.database.flush()
  }
  store.put('late', big, 0)
  assert.equal(tested.expired, 1)
  assert.equal([...store.all()].length, 100)
  // RocksDB has the rows of three minutes, whatever else its files hold.
  using rows = { scan: tested.database.scan(0, null, null, false), [Symbol.dispose]: () => rows.scan.close() }
  const columns = new Int32Array(4 * 256)
  let count = 0
  for (let got = 1; got > 0; count += got) got = rows.scan.next(Buffer.alloc(1 << 20), columns, 256)
  assert.equal(count, 150)
  await tested.close()
})

test('a scan is closed by using, forgotten by its store, and ends with an error after a commit', async () => {
  const tested = await laboratory.open(definition(), 1 << 20)
  const store = tested.store<WindowStore<string, string>>()
  for (const start of [0, 60_000, 120_000]) store.put('a', 'v', start)
  {
    using rows = store.fetch('a', 0, 200_000)
    rows.next()
    assert.equal(tested.state.openScans.size, 1)
  }
  assert.equal(tested.state.openScans.size, 0)
  const [fresh, begun, between] = [0, 0, 0].map(() => store.fetch('a', 0, 200_000))
  begun!.next()
  for (let index = 0; index < 1; index++) between!.next()
  await tested.commit()
  for (const rows of [fresh, begun, between]) assert.throws(() => [...rows!], { code: 'closed' })
  tested.state.closeScans()
  assert.equal(tested.state.openScans.size, 0)
  await tested.close()
})

test('wrong arguments are refused in one line that names the store', async () => {
  const tested = await laboratory.open(definition(), 1 << 20)
  const store = tested.store<WindowStore<string | null, string>>()
  assert.throws(() => store.put(null, 'v', 0), /^TypeError: store windows: the key must not be null$/)
  assert.throws(() => store.fetch(null, 0), /store windows: the key must not be null/)
  assert.throws(() => store.fetch(null, 0, 1), /store windows: the key must not be null/)
  for (const start of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(
      () => store.put('a', 'v', start),
      new RegExp(
        `^RangeError: store windows: the window's start must be a whole number of milliseconds from 0, not ${start}$`,
      ),
    )
  }
  assert.throws(() => store.fetch('a', Number.NaN, 0), /store windows: times must be numbers/)
  assert.equal([...store.fetch('a', Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)].length, 0)
  await tested.close()
})
