import type { ProcessOptions } from '../../../src/dsl/options.ts'
import { Headers } from '../../../src/process/headers.ts'
import type { ValueTransformerSupplier } from '../../../src/process/operators/table-transform.ts'
import type { Processor, ProcessorContext } from '../../../src/process/processor.ts'
import type { StreamRecord } from '../../../src/process/record.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import type { KeyValueStore } from '../../../src/state/store.ts'
import { stores } from '../../../src/topology/stores.ts'
import { combine, newValue, shown, type Value } from './functions.ts'
import type { Building } from './operators.ts'

type Text = string | null

/** What the next value of a key is, and what the store has of it then. */
function remember(store: KeyValueStore<string, string>, n: number, key: string, value: Value): string {
  const before = store.get(key)
  const after = combine(n, before ?? 'new', shown(value)) as Text
  store.put(key, after)
  return `${shown(before)}>${shown(after)}`
}

/** Keeps a text for each key, and tells all of them when stream time or the wall clock has moved on. The same one is in RunTopologies.java. */
export class Remembering implements Processor<Text, Value, Text, Value> {
  readonly #name: string
  readonly #n: number
  #store!: KeyValueStore<string, string>

  constructor(name: string, n: number) {
    this.#name = name
    this.#n = n
  }

  init(context: ProcessorContext<Text, Value>): void {
    this.#store = context.stateStore(this.#name)
    const tell = (kind: string) => (timestamp: number) => {
      using rows = this.#store.all()
      for (const { key, value } of rows)
        context.forward({ key, value: kind + value, timestamp, headers: Headers.empty })
    }
    context.schedule({ intervalMs: 50 * (this.#n + 1), type: 'stream-time' }, tell('s'))
    context.schedule({ intervalMs: 300, type: 'wall-clock-time' }, tell('w'))
  }

  process(
    { key, value, timestamp, headers }: StreamRecord<Text, Value>,
    context: ProcessorContext<Text, Value>,
  ): void {
    if (key === null) context.forward({ key: 'no key', value, timestamp, headers })
    else context.forward({ key, value: remember(this.#store, this.#n, key, value), timestamp, headers })
  }
}

/** As Remembering, for values alone and without a clock. */
export class RememberingValues implements Processor<Text, Value, Text, Value> {
  readonly #name: string
  readonly #n: number

  constructor(name: string, n: number) {
    this.#name = name
    this.#n = n
  }

  process(
    { key, value, timestamp, headers }: StreamRecord<Text, Value>,
    context: ProcessorContext<Text, Value>,
  ): void {
    const store = context.stateStore<KeyValueStore<string, string>>(this.#name)
    const told = key === null ? 'no key' : remember(store, this.#n, key, value)
    context.forward({ key, value: told, timestamp, headers })
  }
}

/** @returns its name */
export function addPlainStore({ builder, step }: Building, ending = ''): string {
  const name = step.storeName + ending
  builder.addStateStore(stores.keyValue({ name, key: serdes.string, value: serdes.string }))
  return name
}

/** With rows that are fetched ahead, for every other parameter. */
export function remembered({ step }: Building, name: string): ProcessOptions {
  return { stores: [name], ...(step.n % 2 === 0 && { readsByKey: [name] }) }
}

/** Values with what has been seen of their key, where the rows are kept; without a store the same value for the same row. */
export function transformer(
  { step }: Building,
  name: string | null,
): ValueTransformerSupplier<string, Value, string> {
  return () => {
    let seen: KeyValueStore<string, string> | null = null
    return {
      init(context) {
        if (name !== null) seen = context.stateStore(name)
      },
      transform(value, key) {
        if (seen === null) return newValue(step.n, value)
        return value === null ? null : remember(seen, step.n, key, value)
      },
    }
  }
}
