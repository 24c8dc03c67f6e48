import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Headers } from '../../../../src/process/headers.ts'
import type { OperatorContext } from '../../../../src/process/operators/operator-context.ts'
import {
  type BufferedRecord,
  type BufferKey,
  bufferedRecordSerde,
  bufferKeySerde,
  RecordBuffer,
} from '../../../../src/process/operators/record-buffer.ts'
import { serdes } from '../../../../src/serde/serdes.ts'
import type { KeyValueStore } from '../../../../src/state/store.ts'
import { stores } from '../../../../src/topology/stores.ts'
import { Topology } from '../../../../src/topology/topology.ts'
import { TaskGraph } from '../../../support/task-graph.ts'

test('a buffer that is opened again goes on where it was: nothing is lost, or written over', async () => {
  let context: OperatorContext | null = null
  const topology = new Topology()
    .addSource('source', { topics: 'a', key: serdes.string, value: serdes.string })
    .addProcessor(
      'processor',
      () => ({
        init(given) {
          context = given as OperatorContext
        },
        process() {},
      }),
      { parents: 'source' },
    )
    .addStateStore(
      stores.keyValue({
        name: 'buffer',
        key: bufferKeySerde(serdes.string),
        value: bufferedRecordSerde(serdes.string),
      }),
      'processor',
    )
  await using graph = await TaskGraph.open(topology.build())
  const store = graph.keyValueStore('buffer') as KeyValueStore<BufferKey<string>, BufferedRecord<string>>
  const open = () => new RecordBuffer<string, string>(store, 10)
  const headers = Headers.empty.with('trace', 'one').with('none', null)
  const put = (
    buffer: RecordBuffer<string, string>,
    key: string,
    value: string,
    timestamp: number,
  ): boolean => buffer.put({ key, value, timestamp, headers }, context!)
  const evicted = (buffer: RecordBuffer<string, string>): string[] => {
    const lines: string[] = []
    buffer.evict((record, origin) => {
      const traces = [...record.headers].map((header) => `${header.key}=${header.value}`).join()
      lines.push(
        `${record.key} ${record.value} ${record.timestamp} ${origin.topic} ${origin.offset} ${traces}`,
      )
    })
    return lines
  }
  graph.clock.topic = 'a'
  graph.clock.offset = 7

  const first = open()
  assert.equal(put(first, 'k', 'one', 100), true)
  assert.equal(put(first, 'k', 'two', 100), true)
  assert.deepEqual(evicted(first), [])
  graph.evict()

  const second = open()
  assert.equal(put(second, 'k', 'three', 100), true)
  assert.equal(put(second, 'a', 'four', 105), true)
  assert.equal(put(second, 'z', 'five', 111), true)
  assert.equal(put(second, 'z', 'late', 100), false)
  assert.deepEqual(
    evicted(second),
    ['one', 'two', 'three'].map((value) => `k ${value} 100 a 7 trace=one,none=null`),
  )
  assert.deepEqual(evicted(second), [])
  assert.equal(put(second, 'z', 'six', 121), true)
  assert.deepEqual(evicted(second), [
    'a four 105 a 7 trace=one,none=null',
    'z five 111 a 7 trace=one,none=null',
  ])
  using left = store.all()
  assert.deepEqual(
    [...left.keys()].map(({ key, timestamp }) => `${key} ${timestamp}`),
    ['z 121'],
  )
})
