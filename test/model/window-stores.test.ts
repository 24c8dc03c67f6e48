/** Every kind of window store against a list that is searched from end to end. */
import assert from 'node:assert/strict'

import fc from 'fast-check'

import { serdes } from '../../src/serde/serdes.ts'
import type { StoreIterator, Windowed, WindowStore } from '../../src/state/store.ts'
import type { StoreDefinition } from '../../src/topology/definition.ts'
import { stores } from '../../src/topology/stores.ts'
import { type StoreModel, testAgainstModels } from '../support/model-task.ts'
import { isKeyWithin, type ModelRow, SegmentedModel, segmentedInput } from '../support/segmented-model.ts'
import { weighted } from '../support/weighted.ts'

const WINDOW_SIZE_MS = 10_000

type Store = WindowStore<string, unknown>

const { key, bound, time } = segmentedInput
const value = fc.option(fc.string({ maxLength: 20 }), { nil: null, freq: 4 })
const reverse = fc.boolean()
const command = fc.oneof(
  weighted(12, 'put', { key, time, value }),
  weighted(5, 'fetch', { key, time }),
  weighted(4, 'fetchKey', { key, from: time, to: time, reverse }),
  weighted(3, 'fetchKeys', { keyFrom: bound, keyTo: bound, from: time, to: time, reverse }),
  weighted(1, 'fetchAll', { from: time, to: time, reverse }),
  weighted(1, 'all', { reverse }),
)
type Command = typeof command extends fc.Arbitrary<infer C> ? C : never

class Model implements StoreModel<Store, Command> {
  #rows: SegmentedModel<unknown>
  readonly #definition: StoreDefinition

  constructor(definition: StoreDefinition) {
    this.#definition = definition
    this.#rows = new SegmentedModel(definition.windows!, 4)
  }

  copy(): Model {
    const copy = new Model(this.#definition)
    copy.#rows = this.#rows.copy()
    return copy
  }

  run(store: Store, command: Command, now: number): void {
    const at = (time: number): number => Math.max(0, now + time)
    const duplicates = this.#definition.windows!.retainDuplicates
    switch (command.do) {
      case 'put': {
        const start = at(command.time)
        const row = command.value === null ? null : this.#shown(command.value, now)
        store.put(command.key, row, start)
        if (!duplicates) this.#rows.put(command.key, start, 0, row)
        else if (row !== null) this.#rows.put(command.key, start, ++this.#rows.sequence, row)
        break
      }
      case 'fetch': {
        // Where duplicates are retained it is the row that was put last, under whatever key.
        if (duplicates) break
        const start = at(command.time)
        const [row] = this.#rows.visible((row) => row.key === command.key && row.time === start)
        assert.deepEqual(store.fetch(command.key, start), row?.value ?? null)
        break
      }
      case 'fetchKey': {
        const { key, reverse } = command
        const [from, to] = [at(command.from), at(command.to)]
        using rows = reverse ? store.backwardFetch(key, from, to) : store.fetch(key, from, to)
        const expected = this.#rows.visible(
          (row) => row.key === key && row.time >= from && row.time <= to,
          reverse,
        )
        assert.deepEqual(
          [...rows],
          expected.map((row) => ({ key: row.time, value: row.value })),
        )
        break
      }
      case 'fetchKeys': {
        const { keyFrom, keyTo, reverse } = command
        const [from, to] = [at(command.from), at(command.to)]
        this.#agrees(
          reverse ? store.backwardFetch(keyFrom, keyTo, from, to) : store.fetch(keyFrom, keyTo, from, to),
          (row) => isKeyWithin(row.key, keyFrom, keyTo) && row.time >= from && row.time <= to,
          reverse,
        )
        break
      }
      case 'fetchAll': {
        const [from, to] = [at(command.from), at(command.to)]
        this.#agrees(
          command.reverse ? store.backwardFetchAll(from, to) : store.fetchAll(from, to),
          (row) => row.time >= from && row.time <= to,
          command.reverse,
        )
        break
      }
      case 'all':
        this.#agrees(command.reverse ? store.backwardAll() : store.all(), () => true, command.reverse)
        break
    }
  }

  verify(store: Store): void {
    this.#agrees(store.all(), () => true, false)
  }

  #agrees(
    scan: StoreIterator<Windowed<string>, unknown>,
    where: (row: ModelRow<unknown>) => boolean,
    reverse: boolean,
  ): void {
    using rows = scan
    assert.deepEqual(
      [...rows],
      this.#rows.visible(where, reverse).map(({ key, time, value }) => ({
        key: { key, window: { start: time, end: time + WINDOW_SIZE_MS } },
        value,
      })),
    )
  }

  #shown(value: string, timestamp: number): unknown {
    return this.#definition.type === 'timestamped-window' ? { value, timestamp } : value
  }
}

const options = {
  name: 'windows',
  key: serdes.string,
  value: serdes.string,
  // Segments of a minute.
  retentionMs: 120_000,
  windowSizeMs: WINDOW_SIZE_MS,
}
const definitions: Record<string, StoreDefinition> = {
  'a window store': stores.window(options),
  'a window store without a changelog': stores.window({ ...options, logging: false }),
  // Without `primitive` the store's keys are compared by their bytes.
  'a window store with keys compared by bytes': stores.window({
    ...options,
    key: { ...serdes.string, primitive: false },
  }),
  'a window store that retains duplicates': stores.window({ ...options, retainDuplicates: true }),
  'a timestamped window store': stores.timestampedWindow(options),
  'a window store in memory': stores.window({ ...options, inMemory: true }),
  'a window store in memory that retains duplicates, without a changelog': stores.window({
    ...options,
    inMemory: true,
    retainDuplicates: true,
    logging: false,
  }),
  'a timestamped window store in memory': stores.timestampedWindow({ ...options, inMemory: true }),
}

testAgainstModels(
  'window stores read as a list does, whatever happens in between',
  definitions,
  (definition) => ({ definition, command, model: () => new Model(definition), stepMs: 10_000 }),
)
