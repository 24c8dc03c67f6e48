import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { configFrom } from '../../../src/config/load.ts'
import { defineTopology } from '../../../src/dsl/define-topology.ts'
import type { StreamsBuilder } from '../../../src/dsl/streams-builder.ts'
import type { Processor } from '../../../src/process/processor.ts'
import { startApplication } from '../../../src/runtime/start-application.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import type { KeyValueStore, TimestampedKeyValueStore } from '../../../src/state/store.ts'
import { TopologyTestDriver } from '../../../src/testing/index.ts'
import { stores } from '../../../src/topology/stores.ts'

const text = { key: serdes.string, value: serdes.string }
const joiner = (left: unknown, right: unknown): string => `${left}${right}`
const own = stores.keyValue({ name: 'own', ...text })
const silent = (): Processor<string, string, never, never> => ({ process() {} })

describe('global tables and stores that cannot be are refused with one line', () => {
  const refused: Readonly<Record<string, readonly [(builder: StreamsBuilder) => unknown, string]>> = {
    'an option that a global table does not have': [
      (b) => b.globalTable('a', { ...text, historyRetentionMs: 1 } as never),
      'globalTable a: unknown option historyRetentionMs; allowed: key, value, name, timestampExtractor, store, inMemory, rocksdb',
    ],
    'no options': [
      (b) => b.globalTable('a', undefined as never),
      'globalTable a: the options must be an object with key, value, name, timestampExtractor, store, inMemory, rocksdb',
    ],
    'a topic that is read elsewhere': [
      (b) => {
        b.stream('a', text)
        b.globalTable('a', text)
      },
      'source KSTREAM-SOURCE-0000000002: topic a is read by source KSTREAM-SOURCE-0000000000 already',
    ],
    'a join without a key': [
      (b) => b.stream('a', text).join(b.globalTable('b', text), joiner, {} as never),
      'join with a global table: keySelector must be a function, not undefined',
    ],
    'a join without options': [
      (b) => b.stream('a', text).leftJoin(b.globalTable('b', text), joiner, undefined as never),
      'leftJoin with a global table: the options must be an object with keySelector, name',
    ],
    'a store named by a processor': [
      (b) => {
        b.addGlobalStore(own, 'b', text, silent)
        b.stream('a', text).process(silent, { stores: ['own'] })
      },
      'processor KSTREAM-PROCESSOR-0000000003: own is a global store, which every processor can read without naming it',
    ],
    'two stores of one name': [
      (b) => b.addStateStore(own).addGlobalStore(own, 'b', text, silent),
      'global store own: there is a store of that name already',
    ],
    'a processor that is none': [
      (b) => b.addGlobalStore(own, 'b', text, {} as never),
      'addGlobalStore b: the supplier must be a function, not an object',
    ],
  }
  for (const [name, [define, message]] of Object.entries(refused)) {
    test(name, () => {
      const build = () => defineTopology((builder) => void define(builder)).build()
      assert.throws(build, { name: 'TopologyError', message })
    })
  }
})

test('an application refuses global stores that several threads could not read', async () => {
  const topology = new URL('../../support/topologies/global-windows.ts', import.meta.url)
  const config = configFrom({ applicationId: 'global', bootstrapServers: 'none:1', stateDir: 'none' })
  await assert.rejects(startApplication({ topology, config }), {
    code: 'topology-invalid',
    message: `${topology.href}: global store windows is a window store; in an application a global store is a key-value store, timestamped or not`,
  })
})

test('nothing can be below what fills a global store', () => {
  const topology = defineTopology((b) => {
    b.globalTable('rows', { ...text, name: 'rows' })
    b.topology.addProcessor('below', silent, { parents: 'rows' })
  })
  assert.throws(() => topology.build(), {
    message: 'processor below: rows fills a global store; nothing can be below it',
  })
})

test('a test sees a global store, and its topic moves no stream time', async () => {
  const times: number[] = []
  const topology = defineTopology((b) => {
    b.globalTable('rows', { ...text, store: 'global' })
    b.stream('a', text).process(() => ({
      process: (_record, context) => void times.push(context.currentStreamTimeMs()),
    }))
  })
  await using driver = await TopologyTestDriver.open(topology)
  await driver.createInputTopic('rows', text).pipeInput('k', 'v', 5_000)
  await driver.createInputTopic('a', text).pipeInput('k', 'v', 100)
  assert.deepEqual(times, [100])
  assert.equal(driver.keyValueStore('global').get('k'), 'v')
  assert.deepEqual([...driver.allStateStores().keys()], ['global'])
  assert.deepEqual([...driver.producedTopicNames()], [])
})

test('only its own processor changes a global store', async () => {
  const topology = defineTopology((b) => {
    b.globalTable('rows', { ...text, store: 'global' })
    b.stream('a', text).process(() => ({
      process({ key, value }, context) {
        const rows = context.stateStore<TimestampedKeyValueStore<string, string>>('global')
        assert.equal(rows.get(key), null)
        using all = rows.all()
        assert.deepEqual([...all], [])
        rows.update(key, value, 0)
      },
    }))
  })
  await using driver = await TopologyTestDriver.open(topology)
  await assert.rejects(
    driver.createInputTopic('a', text).pipeInput('k', 'v'),
    /update of store global: it is a global store, which only its own processor changes/,
  )
})

test('the processor of a global store schedules nothing', async () => {
  const topology = defineTopology((b) => {
    b.addGlobalStore(own, 'rows', text, () => ({
      init: (context) => void context.schedule({ intervalMs: 1, type: 'wall-clock-time' }, () => {}),
      process() {},
    }))
    b.stream('a', text).forEach(() => {})
  })
  await assert.rejects(
    TopologyTestDriver.open(topology),
    /schedule: the processor of a global store has none/,
  )
})

test('a global store of its own processor keeps what that makes of the records', async () => {
  const topology = defineTopology((b) => {
    b.addGlobalStore(own, 'rows', text, () => {
      let rows: KeyValueStore<string, string>
      return {
        init(context) {
          rows = context.stateStore('own')
        },
        process: ({ key, value }) => rows.put(key, value.toUpperCase()),
      }
    })
    const keyed = b.stream('a', text)
    keyed
      .process(() => ({
        process({ key, timestamp, headers }, context) {
          const value = context.stateStore<KeyValueStore<string, string>>('own').get(key) ?? 'none'
          context.forward({ key, value, timestamp, headers })
        },
      }))
      .to('out', text)
  })
  await using driver = await TopologyTestDriver.open(topology)
  await driver.createInputTopic('rows', text).pipeInput('k', 'v')
  await driver.createInputTopic('a', text).pipeInput('k', 'x')
  assert.deepEqual(driver.createOutputTopic('out', text).readKeyValue(), { key: 'k', value: 'V' })
})
