import assert from 'node:assert/strict'
import { test } from 'node:test'

import { defineTopology } from '../../../../src/dsl/define-topology.ts'
import { serdes } from '../../../../src/serde/serdes.ts'
import { TaskGraph } from '../../../support/task-graph.ts'

test('print writes a line for each record, after the label or the name of the node above', async () => {
  const lines: string[] = []
  const write = (line: string): void => void lines.push(line)
  const topology = defineTopology((builder) => {
    const stream = builder.stream('in', { key: serdes.string, value: serdes.json<unknown>() })
    stream.print({ write })
    stream.mapValues((value) => [value, 7n]).print({ label: 'pairs', name: 'printer', write })
    stream.print({ label: 'short', format: ({ key }) => `<${key}>`, write })
  }).build()
  await using graph = await TaskGraph.open(topology)
  graph.pipe('in', 'k', { a: 1 }, 1)
  graph.pipe('in', null, null, 1)
  graph.pipe('in', 'k', Buffer.from([1, 255]), 1)
  assert.deepEqual(lines, [
    '[KSTREAM-SOURCE-0000000000]: k, {"a":1}',
    '[pairs]: k, [{"a":1},"7"]',
    '[short]: <k>',
    '[KSTREAM-SOURCE-0000000000]: null, null',
    '[pairs]: null, [null,"7"]',
    '[short]: <null>',
    '[KSTREAM-SOURCE-0000000000]: k, 01ff',
    '[pairs]: k, [{"type":"Buffer","data":[1,255]},"7"]',
    '[short]: <k>',
  ])
})
