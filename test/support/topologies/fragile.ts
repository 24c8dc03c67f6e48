/**
 * Counts the records of each key of `<input>` into `<input>-counts`. The URL that the module is imported by says what: `?input=orders&failures=/a/folder`.
 * A record with the value `poison` fails always, one with `reject` leaves a rejection behind; one with the value `once <name>` fails the first time that any process reads it. Each wall-clock punctuation
 * is told to `<input>-ticks`.
 */
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import {
  Headers,
  type KeyValueStore,
  type Processor,
  type ProcessorContext,
  type StreamRecord,
  serdes,
  stores,
  Topology,
} from '../../../src/index.ts'

const { searchParams } = new URL(import.meta.url)
const input = searchParams.get('input') ?? process.env.FRAGILE_INPUT!
const failures = searchParams.get('failures') ?? process.env.FRAGILE_FAILURES!

class Count implements Processor<string, string, string, number> {
  #counts!: KeyValueStore<string, number>

  init(context: ProcessorContext<string, number>): void {
    this.#counts = context.stateStore('counts')
    context.schedule({ intervalMs: 50, type: 'wall-clock-time' }, (timestamp) => {
      context.forward({ key: context.taskId, value: 1, timestamp, headers: Headers.empty }, 'ticks')
    })
  }

  process(record: StreamRecord<string, string>, context: ProcessorContext<string, number>): void {
    const { key, value, timestamp, headers } = record
    if (value === 'reject') void Promise.reject(new Error('nobody awaits this'))
    if (value === 'poison') throw new Error('cannot stand poison')
    if (value.startsWith('once ')) {
      const file = join(failures, value.slice('once '.length))
      if (!existsSync(file)) {
        writeFileSync(file, '')
        throw new Error(`planned: ${value}`)
      }
    }
    const count = (this.#counts.get(key) ?? 0) + 1
    this.#counts.put(key, count)
    context.forward({ key, value: count, timestamp, headers }, 'out')
  }
}

export default new Topology()
  .addSource('source', { topics: input, key: serdes.string, value: serdes.string })
  .addProcessor('count', () => new Count(), { parents: 'source' })
  .addStateStore(stores.keyValue({ name: 'counts', key: serdes.string, value: serdes.int64 }), 'count')
  .addSink('out', { parents: 'count', topic: `${input}-counts`, key: serdes.string, value: serdes.int64 })
  .addSink('ticks', { parents: 'count', topic: `${input}-ticks`, key: serdes.string, value: serdes.int64 })
