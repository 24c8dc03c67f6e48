/**
 * Versioned stores against Kafka Streams' own: the same commands have the same answers and the same changelog. The fixtures were written by
 * test/oracle/versioned.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import test, { after, before, describe } from 'node:test'

import { readToEnd } from '../../../examples/support/kafka.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import {
  PUT_RETURN_CODE_NOT_PUT,
  PUT_RETURN_CODE_VALID_TO_UNDEFINED,
  type VersionedKeyValueStore,
  type VersionedRecord,
} from '../../../src/state/store.ts'
import type { StoreDefinition } from '../../../src/topology/definition.ts'
import { stores } from '../../../src/topology/stores.ts'
import { Random } from '../../support/seed.ts'
import { StoreLaboratory, type TaskStore } from '../../support/task-store.ts'

const laboratory = new StoreLaboratory()
before(() => laboratory.start())
after(() => laboratory.stop())

type Versions = VersionedKeyValueStore<string, string>

const common = { name: 'store', key: serdes.string, value: serdes.string }

const definitions: Record<string, StoreDefinition> = {
  versioned: stores.versioned({ ...common, historyRetentionMs: 120_000 }),
  'versioned-short-segments': stores.versioned({
    ...common,
    historyRetentionMs: 60_000,
    segmentIntervalMs: 5_000,
  }),
  'versioned-no-history': stores.versioned({ ...common, historyRetentionMs: 0 }),
  'versioned-from-1970': stores.versioned({
    ...common,
    historyRetentionMs: 30_000,
    segmentIntervalMs: 10_000,
  }),
}

interface Command {
  readonly timestamp: number
  readonly words: readonly string[]
  readonly answer: string
  /** `key value timestamp`, the first two in hexadecimal; empty when the command changes nothing. */
  readonly logged: string
}

function readFixture(name: string): Command[] {
  const text = readFileSync(path.join(import.meta.dirname, 'fixtures', `${name}.txt`), 'utf8')
  return text
    .replace(/\n$/, '')
    .split('\n')
    .map((line) => {
      const [timestamp, command, answer, logged] = line.split('\t')
      return { timestamp: Number(timestamp), words: command!.split(' '), answer: answer!, logged: logged! }
    })
}

function answerOf(store: Versions, [name, key, time, value]: readonly string[]): string {
  switch (name) {
    case 'put':
      return BigInt(store.put(key!, value === '-' ? null : value!, Number(time))).toString()
    case 'delete': {
      const deleted = store.delete(key!, Number(time))
      return deleted === null ? 'null' : `${deleted.value}@${deleted.timestamp}`
    }
    case 'get':
      return shown(store.get(key!))
    case 'getAsOf':
      return shown(store.get(key!, Number(time)))
    default:
      throw new Error(`unknown command ${name}`)
  }
}

function shown(record: VersionedRecord<string> | null): string {
  return record === null ? 'null' : `${record.value}@${record.timestamp}-${record.validTo ?? ''}`
}

async function changelogOf({ topic }: TaskStore): Promise<string[]> {
  const records = await readToEnd(laboratory.cluster.bootstrapServers, topic)
  return records.map(
    ({ key, value, timestamp }) =>
      `${key!.toString('hex')} ${value === null ? 'null' : value.toString('hex')} ${timestamp}`,
  )
}

describe('answers and changelog are those of Kafka Streams', () => {
  for (const [name, definition] of Object.entries(definitions)) {
    test(`${name}`, async (t) => {
      const random = new Random()
      t.diagnostic(`seed ${random.seed}`)
      const tested = await laboratory.open(definition, 500)
      const logged: string[] = []
      for (const [index, command] of readFixture(name).entries()) {
        tested.recordTimestamp = command.timestamp
        const expired = tested.expired
        const where = `line ${index + 1}: ${command.words.join(' ')} (seed ${random.seed})`
        assert.equal(answerOf(tested.store(), command.words), command.answer, where)
        // Kafka Streams logs what it drops, too.
        if (command.logged !== '' && tested.expired === expired) logged.push(command.logged)
        if (random.below(3) === 0) tested.trim()
        if (random.below(10) === 0) await tested.commit()
        if (random.below(200) === 0) await tested.snapshot()
        if (random.below(200) === 0) {
          await tested.commit()
          await tested.crash()
        }
      }
      assert.ok(tested.expired > 5)
      await tested.commit()
      assert.deepEqual(await changelogOf(tested), logged)
      await tested.close()
    })
  }
})

test('the latest version is found without a look-up in the database, and stays when older ones are put', async () => {
  const tested = await laboratory.open(definitions.versioned!, 1 << 20)
  const store = tested.store<Versions>()
  assert.equal(store.get('k'), null)
  assert.equal(store.put('k', 'new', 5_000), PUT_RETURN_CODE_VALID_TO_UNDEFINED)
  assert.equal(store.put('k', 'old', 1_000), 5_000)
  const { misses } = tested.state.cache
  assert.deepEqual(store.get('k'), { value: 'new', timestamp: 5_000, validTo: null })
  assert.deepEqual(store.get('k', 6_000), { value: 'new', timestamp: 5_000, validTo: null })
  assert.equal(tested.state.cache.misses, misses)
  assert.deepEqual(store.get('k', 4_999), { value: 'old', timestamp: 1_000, validTo: 5_000 })
  assert.equal(store.get('k', 999), null)
  assert.equal(store.get('k', -1), null)
  await tested.close()
})

test('what is discarded was never put', async () => {
  const tested = await laboratory.open(definitions.versioned!, 1 << 20)
  const store = tested.store<Versions>()
  store.put('k', 'kept', 1_000)
  await tested.commit()
  store.put('k', 'gone', 2_000)
  store.put('other', 'gone', 900_000)
  tested.discard()
  assert.deepEqual(store.get('k'), { value: 'kept', timestamp: 1_000, validTo: null })
  // Stream time is what it was.
  assert.equal(store.put('k', 'older', 500), 1_000)
  await tested.commit()
  assert.deepEqual(await changelogOf(tested), ['6b 6b657074 1000', '6b 6f6c646572 500'])
  await tested.close()
})

test('without a changelog its versions last as long as its folder', async () => {
  const definition = stores.versioned({ ...common, historyRetentionMs: 120_000, logging: false })
  const tested = await laboratory.open(definition, 1 << 20)
  tested.store<Versions>().put('k', 'old', 1_000)
  tested.store<Versions>().put('k', 'new', 2_000)
  await tested.commit()
  await tested.reopen()
  assert.deepEqual(tested.store<Versions>().get('k', 1_500), {
    value: 'old',
    timestamp: 1_000,
    validTo: 2_000,
  })
  assert.equal(tested.store<Versions>().put('k', 'older', 500), 1_000)
  await tested.close()
})

test('large values, and keys that are objects', async () => {
  const key = serdes.json<{ id: number }>()
  const definition = stores.versioned({
    name: 'store',
    key,
    value: serdes.bytes,
    historyRetentionMs: 120_000,
  })
  const tested = await laboratory.open(definition, 500)
  const store = tested.store<VersionedKeyValueStore<{ id: number }, Buffer>>()
  const values = [3, 40_000, 0, 200_000].map((size, index) => Buffer.alloc(size, index))
  for (const [index, value] of values.entries()) {
    assert.equal(store.put({ id: 1 }, value, index * 1_000), PUT_RETURN_CODE_VALID_TO_UNDEFINED)
    if (index === 1) await tested.commit()
    tested.trim()
  }
  for (const [index, value] of values.entries()) {
    const validTo = index === values.length - 1 ? null : (index + 1) * 1_000
    assert.deepEqual(store.get({ id: 1 }, index * 1_000), { value, timestamp: index * 1_000, validTo })
  }
  assert.deepEqual(store.delete({ id: 1 }, 1_500)?.value, values[1])
  assert.equal(store.get({ id: 1 }, 1_500), null)
  await tested.close()
})

test('arguments that cannot be meant are refused', async () => {
  const tested = await laboratory.open(definitions.versioned!, 1 << 20)
  const store = tested.store<Versions>()
  assert.throws(() => store.put(null as never, 'v', 1), /store store: the key must not be null/)
  for (const timestamp of [-1, 1.5, Number.NaN, undefined as never])
    assert.throws(
      () => store.put('k', 'v', timestamp),
      new RegExp(`^RangeError: store store: the timestamp must be .* not ${timestamp}$`),
    )
  assert.throws(() => store.get('k', 1.5), /the time must be a whole number of milliseconds, not 1.5/)
  store.put('k', 'v', 1_000_000)
  assert.equal(store.put('k', 'v', 1), PUT_RETURN_CODE_NOT_PUT)
  assert.equal(store.delete('k', 1), null)
  assert.equal(tested.expired, 2)
  await tested.close()
})
