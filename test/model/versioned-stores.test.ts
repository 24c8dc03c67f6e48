/** Versioned stores against lists of intervals, over commits, evictions, restarts and crashes at each step of a commit. */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'

import fc from 'fast-check'

import { serdes } from '../../src/serde/serdes.ts'
import { PUT_RETURN_CODE_NOT_PUT, type VersionedKeyValueStore } from '../../src/state/store.ts'
import { stores } from '../../src/topology/stores.ts'
import { StoreLaboratory } from '../support/task-store.ts'
import { VersionedModel } from '../support/versioned-model.ts'

const RUNS = Number(process.env.WEIR_TEST_RUNS ?? 2_000)
const SEGMENT_INTERVALS_MS = [3, 17, 100]
/** Of the sequences of one segment interval, run at once: each waits for its database most of the time. */
const PARTS = 3
const HISTORY_MS = 40

const laboratory = new StoreLaboratory()
before(() => laboratory.start())
after(() => laboratory.stop())

type Store = VersionedKeyValueStore<string, string>

const key = fc.constantFrom('a', 'aa', 'é')
/** How far ahead of, or behind, a clock that goes by one a step. */
const time = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: -12, max: 2 }) },
  { weight: 2, arbitrary: fc.integer({ min: -60, max: 20 }) },
)
type Crash = 'begin' | 'drained' | 'written' | 'flushed'
const command = fc.oneof(
  {
    weight: 40,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      key,
      time,
      value: fc.option(fc.string({ maxLength: 20 }), { nil: null, freq: 3 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('delete' as const), key, time }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('get' as const), key }) },
  { weight: 30, arbitrary: fc.record({ do: fc.constant('getAsOf' as const), key, time }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('trim' as const) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('commit' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('discard' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('crash' as const),
      step: fc.constantFrom<Crash>('begin', 'drained', 'written', 'flushed'),
    }),
  },
)

describe('versioned stores find what was valid, whatever happens in between', { concurrency: 3 }, () => {
  for (const segmentIntervalMs of SEGMENT_INTERVALS_MS) testWith(segmentIntervalMs)
})

function testWith(segmentIntervalMs: number): void {
  test(`with segments of ${segmentIntervalMs} ms`, async () => {
    const definition = stores.versioned({
      name: 'versions',
      key: serdes.string,
      value: serdes.string,
      historyRetentionMs: HISTORY_MS,
      segmentIntervalMs,
    })
    const property = fc.asyncProperty(
      fc.array(command, { maxLength: 80, size: 'max' }),
      fc.constantFrom(300, 1 << 20),
      async (steps, budgetBytes) => {
        const tested = await laboratory.open(definition, budgetBytes)
        let model = new VersionedModel(HISTORY_MS)
        /** What the changelog says: that is what is here after a restart, since a restore brings it. */
        let logged = model
        let now = 100
        try {
          for (const step of steps) {
            const store = tested.store<Store>()
            now++
            switch (step.do) {
              case 'put': {
                const [changed, validTo] = model.put(step.key, step.value, now + step.time)
                assert.equal(store.put(step.key, step.value, now + step.time), validTo)
                model = changed
                break
              }
              case 'delete': {
                const [changed, validTo] = model.put(step.key, null, now + step.time)
                const present = model.get(step.key, now + step.time)
                assert.deepEqual(
                  store.delete(step.key, now + step.time),
                  validTo === PUT_RETURN_CODE_NOT_PUT ? null : present,
                )
                model = changed
                break
              }
              case 'get':
                assert.deepEqual(store.get(step.key), model.get(step.key))
                break
              case 'getAsOf':
                assert.deepEqual(store.get(step.key, now + step.time), model.get(step.key, now + step.time))
                break
              case 'trim':
                tested.trim()
                break
              case 'commit':
                await tested.commit()
                logged = model
                break
              case 'discard':
                tested.discard()
                model = logged
                break
              case 'reopen':
                await tested.commit()
                await tested.reopen()
                logged = model
                break
              case 'crash':
                if (step.step === 'drained') await tested.commitHalf()
                else if (step.step !== 'begin') await tested.commit()
                if (step.step === 'flushed') await tested.snapshot()
                if (step.step !== 'begin') logged = model
                await tested.crash()
                model = logged
                break
            }
          }
          const store = tested.store<Store>()
          for (const each of ['a', 'aa', 'é']) {
            assert.deepEqual(store.get(each), model.get(each))
            for (let at = model.streamTime - HISTORY_MS - 3; at <= model.streamTime + 1; at++)
              assert.deepEqual(store.get(each, at), model.get(each, at), `${each} at ${at}`)
          }
        } finally {
          await tested.close()
        }
      },
    )
    const numRuns = Math.ceil(RUNS / SEGMENT_INTERVALS_MS.length / PARTS)
    const parts = Array.from({ length: PARTS }, () => fc.assert(property, { numRuns }))
    await Promise.all(parts)
  })
}
