/** Async processors against the same topology that answers at once: whatever order promises settle in, and whatever fails or ends meanwhile. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { modelTopology, Promises } from '../support/async-model.ts'
import { type InputRecord, LocalTask, type LocalTaskOptions } from '../support/local-task.ts'
import { Random } from '../support/seed.ts'

const RECORDS = 200

const settings: LocalTaskOptions = {
  deserializationExceptionHandler: 'continue',
  processingExceptionHandler: 'continue',
  errorsDeadLetterQueueTopicName: 'letters',
}

function inputs(random: Random): { readonly records: InputRecord[]; readonly table: InputRecord[] } {
  const records: InputRecord[] = []
  const table: InputRecord[] = []
  let timestamp = 0
  for (let index = 0; index < RECORDS; index++) {
    timestamp += random.below(3)
    // Some are late.
    const at = Math.max(0, timestamp - (random.next() < 0.1 ? random.below(20) : 0))
    if (random.next() < 0.1) {
      table.push({ key: Buffer.from('row'), value: Buffer.from(`row${index}`), timestamp: at })
      continue
    }
    const words = [`v${index}`]
    if (random.next() < 0.4) words.push('second')
    for (const [word, share] of [
      ['skip', 0.05],
      ['side', 0.1],
      ['pair', 0.1],
      ['poison', 0.05],
      ['torn', 0.03],
      ['wrong', 0.03],
      [`again${1 + random.below(3)}`, 0.08],
    ] as const)
      if (random.next() < share) words.push(word)
    const isBroken = random.next() < 0.02
    records.push({
      key: random.next() < 0.1 ? null : Buffer.from(`k${random.below(10)}`),
      // No UTF-8.
      value: isBroken ? Buffer.from([0xff, 0xfe]) : Buffer.from(words.join(' ')),
      timestamp: random.next() < 0.02 ? -1 : at,
    })
  }
  return { records, table }
}

function rowsOf({ task }: LocalTask): Record<string, unknown[]> {
  return Object.fromEntries(
    [...task.state!.stores].map(([name, store]) => {
      using rows = (store as unknown as { all(): Iterable<unknown> & Disposable }).all()
      return [name, [...rows]]
    }),
  )
}

interface Result {
  readonly outputs: LocalTask['outputs']
  readonly rows: Record<string, unknown[]>
  readonly committed: Record<string, number>
}

async function atOnce({ records, table }: ReturnType<typeof inputs>, punctuates: boolean): Promise<Result> {
  const topology = modelTopology(null, { first: 1, second: 1 }, punctuates)
  await using local = await LocalTask.open(topology, settings)
  local.append('records', ...records)
  local.append('table', ...table)
  await local.run()
  await local.commit()
  return { outputs: local.outputs, rows: rowsOf(local), committed: local.committed }
}

/** @param crashes the share of turns after which the task goes */
async function waiting(
  random: Random,
  { records, table }: ReturnType<typeof inputs>,
  crashes: number,
): Promise<Result & { readonly promises: Promises; readonly crashed: number }> {
  const promises = new Promises()
  const concurrency = { first: 1 + random.below(6), second: 1 + random.below(6) }
  await using local = await LocalTask.open(modelTopology(promises, concurrency, crashes === 0), {
    ...settings,
    batchOf: () => 1 + random.below(30),
  })
  local.append('records', ...records)
  local.append('table', ...table)
  let crashed = 0
  while (!local.isDone) {
    await local.turn(1 + random.below(20))
    for (let settled = random.below(3); settled > 0 && promises.waiting > 0; settled--)
      promises.settle(random.below(promises.waiting))
    // What was settled is told to the task.
    await new Promise((resolve) => setImmediate(resolve))
    if (random.next() < 0.3) local.nowMs += random.below(300)
    if (random.next() < 0.1) await local.commit()
    // Its records are given back, as in a rebalance.
    if (random.next() < 0.01) {
      await local.task.suspend()
      promises.abandoned()
      local.task.resume()
    }
    if (random.next() < crashes) {
      crashed++
      await local.crash()
      promises.abandoned()
    }
  }
  await local.commit()
  const { outputs, committed } = local
  return { outputs, rows: rowsOf(local), committed, promises, crashed }
}

describe('async processors put out and keep what processors do that answer at once', () => {
  for (const [name, runs, crashes] of [
    ['promises settle in any order, records are given back', 40, 0],
    ['and the task crashes', 15, 0.02],
  ] as const) {
    test(name, async (t) => {
      const { seed } = new Random()
      t.diagnostic(`seed ${seed}`)
      let [most, crashed] = [0, 0]
      for (let run = 0; run < runs; run++) {
        const random = new Random(seed + run)
        const given = inputs(random)
        const expected = await atOnce(given, crashes === 0)
        const { promises, crashed: times, ...actual } = await waiting(random, given, crashes)
        const where = `seed ${seed}, run ${run}`
        assert.deepEqual(promises.problems, [], where)
        assert.deepEqual(actual.outputs, expected.outputs, where)
        assert.deepEqual(actual.rows, expected.rows, where)
        assert.deepEqual(actual.committed, expected.committed, where)
        assert.ok(expected.outputs.length > RECORDS / 2, where)
        most = Math.max(most, promises.most)
        crashed += times
      }
      t.diagnostic(`${most} promises at once, ${crashed} crashes`)
      assert.ok(most >= 4)
      assert.equal(crashed > 0, crashes > 0)
    })
  }
})
