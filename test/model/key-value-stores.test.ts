/** Every kind of key-value store against a sorted list. */
import assert from 'node:assert/strict'

import fc from 'fast-check'

import { serdes } from '../../src/serde/serdes.ts'
import type { KeyValueStore, StoreIterator, ValueAndTimestamp } from '../../src/state/store.ts'
import type { StoreDefinition } from '../../src/topology/definition.ts'
import { stores } from '../../src/topology/stores.ts'
import { type StoreModel, testAgainstModels } from '../support/model-task.ts'
import { weighted } from '../support/weighted.ts'

const ENTRIES_MAX = 4

type Row = { readonly value: string; readonly timestamp: number }
type Store = KeyValueStore<string, unknown>

const key = fc.string({ unit: fc.constantFrom('a', 'é', '\u{1f600}'), maxLength: 2 })
const bound = fc.option(key, { nil: null })
const value = fc.string({ maxLength: 40 })
const reverse = fc.boolean()
const command = fc.oneof(
  weighted(30, 'put', { key, value: fc.option(value, { nil: null, freq: 4 }) }),
  weighted(20, 'get', { key }),
  weighted(4, 'delete', { key }),
  weighted(4, 'putIfAbsent', { key, value }),
  weighted(10, 'range', { from: bound, to: bound, reverse }),
  weighted(4, 'all', { reverse }),
  weighted(4, 'putDuringAll', { key, value, reverse, after: fc.integer({ min: 1, max: 4 }) }),
  weighted(4, 'prefix', { prefix: key }),
)
type Command = typeof command extends fc.Arbitrary<infer C> ? C : never

/** Rows in the order of their last use. A plain store's rows are shown without the timestamp. */
class Model implements StoreModel<Store, Command> {
  #rows = new Map<string, Row>()
  readonly #definition: StoreDefinition

  constructor(definition: StoreDefinition) {
    this.#definition = definition
  }

  copy(): Model {
    const copy = new Model(this.#definition)
    copy.#rows = new Map(this.#rows)
    return copy
  }

  /** Only the last changes are known, not the last reads. */
  restarted(): void {
    this.#rows = new Map([...this.#rows].sort(([, a], [, b]) => a.timestamp - b.timestamp))
  }

  run(store: Store, command: Command, now: number): void {
    switch (command.do) {
      case 'put': {
        const row = command.value === null ? null : { value: command.value, timestamp: now }
        store.put(command.key, this.#shown(row))
        this.#put(command.key, row)
        break
      }
      case 'get':
        assert.deepEqual(plain(store.get(command.key)), this.#shown(this.#get(command.key)))
        break
      case 'delete':
        assert.deepEqual(plain(store.delete(command.key)), this.#shown(this.#get(command.key)))
        this.#put(command.key, null)
        break
      case 'putIfAbsent': {
        const row = { value: command.value, timestamp: now }
        const present = this.#get(command.key)
        assert.deepEqual(plain(store.putIfAbsent(command.key, this.#shown(row))), this.#shown(present))
        if (present === null) this.#put(command.key, row)
        break
      }
      case 'range': {
        const { from, to, reverse } = command
        this.#agrees(
          reverse ? store.reverseRange(from, to) : store.range(from, to),
          (at) => (from === null || compare(at, from) >= 0) && (to === null || compare(at, to) <= 0),
          reverse,
        )
        break
      }
      case 'all':
        this.#agrees(command.reverse ? store.reverseAll() : store.all(), () => true, command.reverse)
        break
      case 'putDuringAll':
        this.#putDuringAll(store, command, now)
        break
      case 'prefix':
        this.#agrees(
          store.prefixScan(command.prefix, serdes.string),
          (at) => at.startsWith(command.prefix),
          false,
        )
        break
    }
  }

  verify(store: Store): void {
    this.#agrees(store.all(), () => true, false)
  }

  /** A scan goes on while its store is written: it may show the row that was put or the one before, every other row once and in order. */
  #putDuringAll(
    store: Store,
    { key, value, reverse, after }: { key: string; value: string; reverse: boolean; after: number },
    now: number,
  ): void {
    const before = this.#sorted(() => true, reverse).map(([at]) => at)
    using scan = reverse ? store.reverseAll() : store.all()
    const seen: string[] = []
    for (let step = scan.next(); step.done !== true; step = scan.next()) {
      seen.push(step.value.key)
      if (seen.length === after) store.put(key, this.#shown({ value, timestamp: now }))
    }
    const wasPut = seen.length >= after
    // A limit deletes others.
    if (this.#definition.entriesMax === undefined || !wasPut) {
      const others = (keys: readonly string[]): string[] => keys.filter((at) => at !== key)
      assert.deepEqual(others(seen), others(before))
      assert.equal(new Set(seen).size, seen.length)
      assert.ok(!before.includes(key) || seen.includes(key))
    }
    if (wasPut) this.#put(key, { value, timestamp: now })
  }

  #get(key: string): Row | null {
    const row = this.#rows.get(key)
    if (row === undefined) return null
    this.#rows.delete(key)
    this.#rows.set(key, row)
    return row
  }

  #put(key: string, row: Row | null): void {
    this.#rows.delete(key)
    if (row !== null) this.#rows.set(key, row)
    const { entriesMax = Number.POSITIVE_INFINITY } = this.#definition
    while (this.#rows.size > entriesMax) this.#rows.delete(this.#rows.keys().next().value!)
  }

  #sorted(accepts: (key: string) => boolean, reverse: boolean): [string, Row][] {
    const rows = [...this.#rows].filter(([at]) => accepts(at)).sort(([a], [b]) => compare(a, b))
    return reverse ? rows.reverse() : rows
  }

  #agrees(scan: StoreIterator<string, unknown>, accepts: (key: string) => boolean, reverse: boolean): void {
    using rows = scan
    assert.deepEqual(
      [...rows].map(({ key, value }) => [key, plain(value)]),
      this.#sorted(accepts, reverse).map(([key, row]) => [key, this.#shown(row)]),
    )
  }

  /** As the store gives and takes it. */
  #shown(row: Row | null): unknown {
    return row === null || this.#definition.type === 'timestamped-key-value' ? row : row.value
  }
}

function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

/** Without what a cached row has besides. */
function plain(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  const { value: inner, timestamp } = value as ValueAndTimestamp<string>
  return { value: inner, timestamp }
}

const base = { name: 'rows', key: serdes.string, value: serdes.string }
const definitions: Record<string, StoreDefinition> = {
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

testAgainstModels(
  'key-value stores read as a sorted list does, whatever happens in between',
  definitions,
  (definition) => ({ definition, command, model: () => new Model(definition), stepMs: 1, batchKey: key }),
)
