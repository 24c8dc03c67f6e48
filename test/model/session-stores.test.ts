/** Every kind of session store against a list that is searched from end to end. */
import assert from 'node:assert/strict'

import fc from 'fast-check'

import { serdes } from '../../src/serde/serdes.ts'
import type { SessionStore, StoreIterator, Windowed } from '../../src/state/store.ts'
import type { StoreDefinition } from '../../src/topology/definition.ts'
import { stores } from '../../src/topology/stores.ts'
import { type StoreModel, testAgainstModels } from '../support/model-task.ts'
import { isKeyWithin, type ModelRow, SegmentedModel, segmentedInput } from '../support/segmented-model.ts'
import { weighted } from '../support/weighted.ts'

type Store = SessionStore<string, string>

const { key, bound, time } = segmentedInput
const lengthMs = fc.constantFrom(0, 1, 5_000, 90_000)
const reverse = fc.boolean()
const command = fc.oneof(
  weighted(12, 'put', { key, end: time, lengthMs, value: fc.string({ maxLength: 20 }) }),
  weighted(4, 'remove', { key, end: time, lengthMs }),
  weighted(5, 'fetchSession', { key, end: time, lengthMs }),
  weighted(6, 'find', { key, earliestEnd: time, latestStart: time, reverse }),
  weighted(4, 'findRange', { keyFrom: bound, keyTo: bound, earliestEnd: time, latestStart: time, reverse }),
  weighted(2, 'fetch', { key, reverse }),
  weighted(2, 'fetchRange', { keyFrom: bound, keyTo: bound, reverse }),
)
type Command = typeof command extends fc.Arbitrary<infer C> ? C : never

class Model implements StoreModel<Store, Command> {
  #rows: SegmentedModel<string>
  readonly #definition: StoreDefinition

  constructor(definition: StoreDefinition) {
    this.#definition = definition
    this.#rows = new SegmentedModel(definition.windows!, 8)
  }

  copy(): Model {
    const copy = new Model(this.#definition)
    copy.#rows = this.#rows.copy()
    return copy
  }

  run(store: Store, command: Command, now: number): void {
    const at = (time: number): number => Math.max(0, now + time)
    const session = ({ key, end, lengthMs }: { key: string; end: number; lengthMs: number }) => ({
      key,
      window: { start: Math.max(0, at(end) - lengthMs), end: at(end) },
    })
    switch (command.do) {
      case 'put': {
        const windowed = session(command)
        store.put(windowed, command.value)
        this.#rows.put(command.key, windowed.window.end, windowed.window.start, command.value)
        break
      }
      case 'remove': {
        const windowed = session(command)
        store.remove(windowed)
        this.#rows.put(command.key, windowed.window.end, windowed.window.start, null)
        break
      }
      case 'fetchSession': {
        const { key, window } = session(command)
        const [row] = this.#rows.visible(
          (row) => row.key === key && row.time === window.end && row.rest === window.start,
        )
        assert.equal(store.fetchSession(key, window.start, window.end), row?.value ?? null)
        break
      }
      case 'find': {
        const { key, reverse } = command
        const [earliestEnd, latestStart] = [at(command.earliestEnd), at(command.latestStart)]
        this.#agrees(
          reverse
            ? store.backwardFindSessions(key, earliestEnd, latestStart)
            : store.findSessions(key, earliestEnd, latestStart),
          (row) => row.key === key && row.time >= earliestEnd && row.rest <= latestStart,
          reverse,
        )
        break
      }
      case 'findRange': {
        const { keyFrom, keyTo, reverse } = command
        const [earliestEnd, latestStart] = [at(command.earliestEnd), at(command.latestStart)]
        this.#agrees(
          reverse
            ? store.backwardFindSessions(keyFrom, keyTo, earliestEnd, latestStart)
            : store.findSessions(keyFrom, keyTo, earliestEnd, latestStart),
          (row) => isKeyWithin(row.key, keyFrom, keyTo) && row.time >= earliestEnd && row.rest <= latestStart,
          reverse,
        )
        break
      }
      case 'fetch': {
        const { key, reverse } = command
        this.#agrees(reverse ? store.backwardFetch(key) : store.fetch(key), (row) => row.key === key, reverse)
        break
      }
      case 'fetchRange': {
        const { keyFrom, keyTo, reverse } = command
        this.#agrees(
          reverse ? store.backwardFetch(keyFrom, keyTo) : store.fetch(keyFrom, keyTo),
          (row) => isKeyWithin(row.key, keyFrom, keyTo),
          reverse,
        )
        break
      }
    }
  }

  verify(store: Store): void {
    this.#agrees(store.fetch(null, null), () => true, false)
  }

  #agrees(
    scan: StoreIterator<Windowed<string>, string>,
    where: (row: ModelRow<string>) => boolean,
    reverse: boolean,
  ): void {
    using rows = scan
    assert.deepEqual(
      [...rows],
      this.#rows.visible(where, reverse).map(({ key, time, rest, value }) => ({
        key: { key, window: { start: rest, end: time } },
        value,
      })),
    )
  }
}

// Segments of a minute.
const options = { name: 'sessions', key: serdes.string, value: serdes.string, retentionMs: 120_000 }
const definitions: Record<string, StoreDefinition> = {
  'a session store': stores.session(options),
  'a session store in memory': stores.session({ ...options, inMemory: true }),
  'a session store without a changelog': stores.session({ ...options, logging: false }),
}

testAgainstModels(
  'session stores read as a list does, whatever happens in between',
  definitions,
  (definition) => ({ definition, command, model: () => new Model(definition), stepMs: 10_000 }),
)
