import assert from 'node:assert/strict'
import { test } from 'node:test'

import { defineTopology } from '../../../../src/dsl/define-topology.ts'
import { BufferConfig, Suppressed } from '../../../../src/dsl/suppressed.ts'
import { TimeWindows } from '../../../../src/dsl/windows.ts'
import { serdes } from '../../../../src/serde/serdes.ts'
import { TaskGraph } from '../../../support/task-graph.ts'

const text = { key: serdes.string, value: serdes.string }

/** What they forward, the fixtures of operators.test.ts tell. */
test('what is forwarded is counted, by node: not what is replaced, still waits or is left out', async () => {
  const seen: string[] = []
  const topology = defineTopology((builder) => {
    const table = builder.table('a', text)
    const limited = table.suppress(Suppressed.untilTimeLimit(10, BufferConfig.unbounded()), {
      name: 'limited',
    })
    limited.toStream().peek(({ key, value }) => seen.push(`${key} ${value}`))
    table
      .toStream()
      .groupByKey(text)
      .windowedBy(TimeWindows.of({ sizeMs: 10 }))
      .reduce((_, value): string | null => (value === 'none' ? null : value))
      .suppress(Suppressed.untilWindowCloses(BufferConfig.unbounded()), { name: 'closed' })
      .toStream()
      .peek(({ key, value }) => seen.push(`${key.key}@${key.window.start} ${value}`))
  })
  await using graph = await TaskGraph.open(topology.build())
  graph.pipe('a', 'k1', 'v1', 0)
  graph.pipe('a', 'k1', 'v2', 1)
  graph.pipe('a', 'k2', 'v3', 2)
  graph.pipe('a', 'k2', 'none', 3)
  graph.pipe('a', 'k3', 'v5', 40)
  assert.deepEqual(seen.sort(), ['k1 v2', 'k1@0 v2', 'k2 none'])
  assert.deepEqual([...graph.suppressionEmits].sort(), [
    ['closed', 1],
    ['limited', 2],
  ])
})
