/** Every kind of key-value store against a sorted list, over commits, evictions, restarts and crashes at each step of a commit. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'

import fc from 'fast-check'

import { serdes } from '../../src/serde/serdes.ts'
import type { KeyValueStore, StoreIterator, ValueAndTimestamp } from '../../src/state/store.ts'
import type { StoreDefinition } from '../../src/topology/definition.ts'
import { stores } from '../../src/topology/stores.ts'
import { type CommitStep, OpenedStore, StoreServices } from '../support/opened-store.ts'

const RUNS = Number(process.env.WEIR_TEST_RUNS ?? 200)
const ENTRIES_MAX = 4

let services: StoreServices
let folder = ''

before(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'weir-model-'))
  services = new StoreServices(folder)
})

after(async () => {
  await services[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

type Row = { readonly value: string; readonly timestamp: number }

/** What a store must hold: rows in the order of their last use. */
class Model {
  rows = new Map<string, Row>()
  readonly #entriesMax: number

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax
  }

  get(key: string): Row | null {
    const row = this.rows.get(key)
    if (row === undefined) return null
    this.rows.delete(key)
    this.rows.set(key, row)
    return row
  }

  put(key: string, row: Row | null): void {
    this.rows.delete(key)
    if (row !== null) this.rows.set(key, row)
    while (this.rows.size > this.#entriesMax) this.rows.delete(this.rows.keys().next().value!)
  }

  /** After a restart only the last changes are known, not the last reads. */
  restart(rows: ReadonlyMap<string, Row>): void {
    this.rows = new Map([...rows].sort(([, a], [, b]) => a.timestamp - b.timestamp))
  }

  sorted(): [string, Row][] {
    return [...this.rows].sort(([a], [b]) => compare(a, b))
  }
}

function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

const key = fc.string({ unit: fc.constantFrom('a', 'é', '\u{1f600}'), maxLength: 2 })
const bound = fc.option(key, { nil: null })
const value = fc.string({ maxLength: 40 })
function command<D extends string, T extends object>(
  weight: number,
  name: D,
  fields: { [K in keyof T]: fc.Arbitrary<T[K]> },
): { weight: number; arbitrary: fc.Arbitrary<{ readonly do: D } & T> } {
  const record = fc.record({ do: fc.constant(name), ...fields })
  return { weight, arbitrary: record as unknown as fc.Arbitrary<{ readonly do: D } & T> }
}
const commands = fc.array(
  fc.oneof(
    command(30, 'put', { key, value: fc.option(value, { nil: null, freq: 4 }) }),
    command(20, 'get', { key }),
    command(4, 'delete', { key }),
    command(4, 'putIfAbsent', { key, value }),
    command(10, 'range', { from: bound, to: bound, reverse: fc.boolean() }),
    command(4, 'all', { reverse: fc.boolean() }),
    command(4, 'prefix', { prefix: key }),
    command(6, 'evict', {}),
    command(6, 'trim', {}),
    command(4, 'commit', {}),
    command(2, 'discard', {}),
    command(2, 'reopen', {}),
    command(2, 'crash', { step: fc.constantFrom<CommitStep>('begin', 'drained', 'written', 'flushed') }),
  ),
  // Without it sequences have hardly ten steps.
  { maxLength: 60, size: 'max' },
)

const base = { name: 'rows', key: serdes.string, value: serdes.string }
const kinds: Record<string, StoreDefinition> = {
  'a persistent store': stores.keyValue(base),
  'a persistent store without a changelog': stores.keyValue({ ...base, logging: false }),
  'a timestamped store': stores.timestampedKeyValue(base),
  'a store in memory': stores.keyValue({ ...base, inMemory: true }),
  'a store in memory without a changelog': stores.keyValue({ ...base, inMemory: true, logging: false }),
  'a timestamped store in memory': stores.timestampedKeyValue({ ...base, inMemory: true }),
  'a store with a limit': stores.keyValue({ ...base, entriesMax: ENTRIES_MAX }),
  'a timestamped store with a limit, without a changelog': stores.timestampedKeyValue({
    ...base,
    entriesMax: ENTRIES_MAX,
    logging: false,
  }),
}

/** A store as one of rows with a timestamp, which a plain one's are not. */
class Rows {
  readonly #store: KeyValueStore<string, unknown>
  readonly #timestamped: boolean

  constructor(store: unknown, timestamped: boolean) {
    this.#store = store as KeyValueStore<string, unknown>
    this.#timestamped = timestamped
  }

  get(key: string): unknown {
    return this.#store.get(key)
  }

  put(key: string, row: Row | null): void {
    this.#store.put(key, this.of(row))
  }

  putIfAbsent(key: string, row: Row): unknown {
    return this.#store.putIfAbsent(key, this.of(row))
  }

  delete(key: string): unknown {
    return this.#store.delete(key)
  }

  /** As the store gives it. */
  of(row: Row | null): unknown {
    return row === null || this.#timestamped ? row : row.value
  }

  read(scan: (store: KeyValueStore<string, unknown>) => StoreIterator<string, unknown>): unknown[] {
    using rows = scan(this.#store)
    return [...rows].map(({ key, value }) => [key, plain(value)])
  }

  expected(rows: readonly [string, Row][]): unknown[] {
    return rows.map(([key, row]) => [key, this.of(row)])
  }
}

/** Without what a cached row has besides. */
function plain(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  const { value: inner, timestamp } = value as ValueAndTimestamp<string>
  return { value: inner, timestamp }
}

describe('key-value stores read as a sorted list does, whatever happens in between', {
  concurrency: 4,
}, () => {
  for (const [name, definition] of Object.entries(kinds)) {
    test(`${name}`, async () => {
      const property = fc.asyncProperty(
        commands,
        fc.constantFrom(800, 1 << 20),
        async (steps, budgetBytes) => {
          const opened = await OpenedStore.open(services, definition, budgetBytes)
          const timestamped = definition.type === 'timestamped-key-value'
          const model = new Model(definition.entriesMax ?? Infinity)
          const { logging, inMemory = false } = definition
          /** What the changelog says, what was committed here, and what of it is on disk. */
          let logged = new Map<string, Row>()
          let committed = new Map<string, Row>()
          let flushed = new Map<string, Row>()
          /** @param kept what is left here */
          const restart = (kept: ReadonlyMap<string, Row>): void => {
            const rows = logging ? logged : inMemory ? new Map<string, Row>() : kept
            model.restart(rows)
            committed = new Map(rows)
            flushed = new Map(kept)
          }
          try {
            for (const step of steps) {
              const rows = new Rows(opened.store, timestamped)
              opened.now++
              switch (step.do) {
                case 'put': {
                  const row = step.value === null ? null : { value: step.value, timestamp: opened.now }
                  rows.put(step.key, row)
                  model.put(step.key, row)
                  break
                }
                case 'get':
                  assert.deepEqual(plain(rows.get(step.key)), rows.of(model.get(step.key)))
                  break
                case 'delete':
                  assert.deepEqual(plain(rows.delete(step.key)), rows.of(model.get(step.key)))
                  model.put(step.key, null)
                  break
                case 'putIfAbsent': {
                  const row = { value: step.value, timestamp: opened.now }
                  const present = model.get(step.key)
                  assert.deepEqual(plain(rows.putIfAbsent(step.key, row)), rows.of(present))
                  if (present === null) model.put(step.key, row)
                  break
                }
                case 'range': {
                  const { from, to, reverse } = step
                  const expected = model
                    .sorted()
                    .filter(
                      ([at]) =>
                        (from === null || compare(at, from) >= 0) && (to === null || compare(at, to) <= 0),
                    )
                  assert.deepEqual(
                    rows.read((store) => (reverse ? store.reverseRange(from, to) : store.range(from, to))),
                    rows.expected(reverse ? expected.reverse() : expected),
                  )
                  break
                }
                case 'all': {
                  const expected = model.sorted()
                  assert.deepEqual(
                    rows.read((store) => (step.reverse ? store.reverseAll() : store.all())),
                    rows.expected(step.reverse ? expected.reverse() : expected),
                  )
                  break
                }
                case 'prefix': {
                  const expected = model.sorted().filter(([at]) => at.startsWith(step.prefix))
                  assert.deepEqual(
                    rows.read((store) => store.prefixScan(step.prefix, serdes.string)),
                    rows.expected(expected),
                  )
                  break
                }
                case 'evict':
                  opened.evict()
                  break
                case 'trim':
                  opened.budget.trim(opened.store.cache)
                  break
                case 'commit':
                  await opened.commit()
                  committed = new Map(model.rows)
                  logged = new Map(model.rows)
                  break
                case 'discard':
                  opened.store.discard()
                  opened.database.discard()
                  model.restart(committed)
                  break
                case 'reopen':
                  await opened.reopen()
                  restart(committed)
                  break
                case 'crash':
                  await opened.commit(step.step)
                  if (step.step !== 'begin') logged = new Map(model.rows)
                  if (step.step === 'flushed') flushed = new Map(model.rows)
                  await opened.crash()
                  restart(flushed)
                  break
              }
            }
            const rows = new Rows(opened.store, timestamped)
            assert.deepEqual(
              rows.read((store) => store.all()),
              rows.expected(model.sorted()),
            )
          } finally {
            await opened.close()
          }
          assert.equal(opened.budget.usedBytes, 0)
        },
      )
      await fc.assert(property, { numRuns: RUNS })
    })
  }
})
