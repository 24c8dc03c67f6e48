/** Session stores over the real database, against a list that is searched from end to end. */
import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'

import fc from 'fast-check'

import { serdes } from '../../../src/serde/serdes.ts'
import type { SessionStore } from '../../../src/state/store.ts'
import { stores } from '../../../src/topology/stores.ts'
import { isKeyWithin, type ModelRow, SegmentedModel } from '../../support/segmented-model.ts'
import { StoreLaboratory } from '../../support/task-store.ts'

const laboratory = new StoreLaboratory()
before(() => laboratory.start())
after(() => laboratory.stop())

/** Segments of a minute. */
const definition = stores.session({
  name: 'sessions',
  key: serdes.string,
  value: serdes.string,
  retentionMs: 120_000,
})

const key = fc.string({ unit: fc.constantFrom('a', 'b', '\0', '\u{1f600}'), maxLength: 3 })
const bound = fc.option(key, { nil: null })
/** Relative to a clock that goes on with each step: most lie within the retention, some have expired. */
const time = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: -26, max: 1 }).map((fives) => fives * 5_000) },
  { weight: 1, arbitrary: fc.integer({ min: -250_000, max: 100_000 }) },
)
const lengthMs = fc.constantFrom(0, 1, 5_000, 90_000)
const step = fc.oneof(
  {
    weight: 120,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      key,
      end: time,
      lengthMs,
      value: fc.string({ maxLength: 20 }),
    }),
  },
  { weight: 40, arbitrary: fc.record({ do: fc.constant('remove' as const), key, end: time, lengthMs }) },
  {
    weight: 50,
    arbitrary: fc.record({ do: fc.constant('fetchSession' as const), key, end: time, lengthMs }),
  },
  {
    weight: 60,
    arbitrary: fc.record({
      do: fc.constant('find' as const),
      key,
      earliestEnd: time,
      latestStart: time,
      reverse: fc.boolean(),
    }),
  },
  {
    weight: 40,
    arbitrary: fc.record({
      do: fc.constant('findRange' as const),
      keyFrom: bound,
      keyTo: bound,
      earliestEnd: time,
      latestStart: time,
      reverse: fc.boolean(),
    }),
  },
  { weight: 20, arbitrary: fc.record({ do: fc.constant('fetch' as const), key, reverse: fc.boolean() }) },
  {
    weight: 20,
    arbitrary: fc.record({
      do: fc.constant('fetchRange' as const),
      keyFrom: bound,
      keyTo: bound,
      reverse: fc.boolean(),
    }),
  },
  { weight: 30, arbitrary: fc.record({ do: fc.constant('trim' as const) }) },
  { weight: 30, arbitrary: fc.record({ do: fc.constant('commit' as const) }) },
  { weight: 15, arbitrary: fc.record({ do: fc.constant('discard' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('snapshot' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('crash' as const), half: fc.boolean() }) },
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

const shown = (rows: readonly ModelRow<string>[]): unknown[] =>
  rows.map((row) => ({
    key: { key: row.key, window: { start: row.rest, end: row.time } },
    value: row.value,
  }))

async function agreesWithTheModel(steps: readonly Step[], budgetBytes: number): Promise<void> {
  const tested = await laboratory.open(definition, budgetBytes)
  let model = new SegmentedModel<string>(definition.windows!, 8)
  let committed = model.copy()
  let clock = 0
  try {
    for (const command of steps) {
      clock += 10_000
      const at = (time: number): number => Math.max(0, clock + time)
      const session = ({ key, end, lengthMs }: { key: string; end: number; lengthMs: number }) => ({
        key,
        window: { start: Math.max(0, at(end) - lengthMs), end: at(end) },
      })
      const store = tested.store<SessionStore<string, string>>()
      switch (command.do) {
        case 'put': {
          const windowed = session(command)
          store.put(windowed, command.value)
          model.put(command.key, windowed.window.end, windowed.window.start, command.value)
          break
        }
        case 'remove': {
          const windowed = session(command)
          store.remove(windowed)
          model.put(command.key, windowed.window.end, windowed.window.start, null)
          break
        }
        case 'fetchSession': {
          const { key, window } = session(command)
          const [row] = model.visible(
            (row) => row.key === key && row.time === window.end && row.rest === window.start,
          )
          assert.equal(store.fetchSession(key, window.start, window.end), row?.value ?? null)
          break
        }
        case 'find': {
          const { key, reverse } = command
          const [earliestEnd, latestStart] = [at(command.earliestEnd), at(command.latestStart)]
          using rows = reverse
            ? store.backwardFindSessions(key, earliestEnd, latestStart)
            : store.findSessions(key, earliestEnd, latestStart)
          const expected = model.visible(
            (row) => row.key === key && row.time >= earliestEnd && row.rest <= latestStart,
            reverse,
          )
          assert.deepEqual([...rows], shown(expected))
          break
        }
        case 'findRange': {
          const { keyFrom, keyTo, reverse } = command
          const [earliestEnd, latestStart] = [at(command.earliestEnd), at(command.latestStart)]
          using rows = reverse
            ? store.backwardFindSessions(keyFrom, keyTo, earliestEnd, latestStart)
            : store.findSessions(keyFrom, keyTo, earliestEnd, latestStart)
          const expected = model.visible(
            (row) =>
              isKeyWithin(row.key, keyFrom, keyTo) && row.time >= earliestEnd && row.rest <= latestStart,
            reverse,
          )
          assert.deepEqual([...rows], shown(expected))
          break
        }
        case 'fetch': {
          using rows = command.reverse ? store.backwardFetch(command.key) : store.fetch(command.key)
          const expected = model.visible((row) => row.key === command.key, command.reverse)
          assert.deepEqual([...rows], shown(expected))
          break
        }
        case 'fetchRange': {
          const { keyFrom, keyTo, reverse } = command
          using rows = reverse ? store.backwardFetch(keyFrom, keyTo) : store.fetch(keyFrom, keyTo)
          const expected = model.visible((row) => isKeyWithin(row.key, keyFrom, keyTo), reverse)
          assert.deepEqual([...rows], shown(expected))
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
            await tested.commitHalf()
            committed = model.copy()
          }
          await tested.crash()
          model = committed.copy()
          break
      }
    }
    using rows = tested.store<SessionStore<string, string>>().fetch(null, null)
    assert.deepEqual([...rows], shown(model.visible(() => true)))
  } finally {
    await tested.close()
  }
}

test('a session store reads as a list does, through cache, overlay, RocksDB and changelog', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 20, maxLength: 120 }),
      fc.constantFrom(500, 1 << 20),
      agreesWithTheModel,
    ),
    { numRuns: 150 },
  )
})

test('wrong arguments are refused in one line that names the store', async () => {
  const tested = await laboratory.open(definition, 1 << 20)
  const store = tested.store<SessionStore<string | null, string>>()
  const session = (start: number, end: number) => ({ key: 'a', window: { start, end } })
  assert.throws(() => store.put(session(2, 1), 'v'), {
    name: 'RangeError',
    message: 'store sessions: a session must not start (2) after its end (1)',
  })
  assert.throws(
    () => store.put(session(-1, 1), 'v'),
    /^RangeError: store sessions: the session's start must be a whole number of milliseconds from 0, not -1$/,
  )
  assert.throws(() => store.remove(session(0, 0.5)), /store sessions: the session's end must be a whole/)
  assert.throws(
    () => store.put({ key: null, window: { start: 0, end: 1 } }, 'v'),
    /^TypeError: store sessions: the key must not be null$/,
  )
  assert.throws(() => store.fetch(null), /store sessions: the key must not be null/)
  await tested.close()
})
