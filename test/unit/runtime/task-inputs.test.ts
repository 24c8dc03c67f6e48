import assert from 'node:assert/strict'
import { test } from 'node:test'

import { allTasks, partitionKey, tasksWith } from '../../../src/runtime/task-inputs.ts'
import type { TopologyDefinition } from '../../../src/topology/definition.ts'

const topology: TopologyDefinition = {
  subtopologies: [
    { id: 0, nodes: [], stores: [], sourceTopics: ['a', 'b'], copartitionGroups: [] },
    { id: 1, nodes: [], stores: [], sourceTopics: ['r-repartition'], copartitionGroups: [] },
  ],
  repartitionTopics: [{ name: 'r-repartition', partitions: null }],
}
const plan = {
  tasks: new Map([
    [0, 3],
    [1, 2],
  ]),
  sources: new Map([
    ['a', 3],
    ['b', 2],
    ['app-r-repartition', 2],
  ]),
  internalTopics: [],
}

test('a task reads its partition of every topic that has it', () => {
  const tasks = allTasks(topology, 'app', plan)
  assert.deepEqual(
    tasks.map(({ id, inputs }) => [id, inputs.map(partitionKey)]),
    [
      ['0_0', ['a:0', 'b:0']],
      ['0_1', ['a:1', 'b:1']],
      ['0_2', ['a:2']],
      ['1_0', ['app-r-repartition:0']],
      ['1_1', ['app-r-repartition:1']],
    ],
  )
})

test('a task runs when it has all its inputs', () => {
  const owned = new Set(['a:0', 'b:0', 'a:1', 'a:2', 'x:7'])
  const { whole, partial } = tasksWith(allTasks(topology, 'app', plan), (key) => owned.has(key))
  assert.deepEqual([whole.map(({ id }) => id), partial.map(({ id }) => id)], [['0_0', '0_2'], ['0_1']])
})
