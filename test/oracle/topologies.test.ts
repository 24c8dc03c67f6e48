import assert from 'node:assert/strict'
import { test } from 'node:test'

import { Random } from '../support/seed.ts'
import { assertSame } from './topologies/compare.ts'
import type { Description, Step } from './topologies/description.ts'
import { JavaSide } from './topologies/java-side.ts'
import { compareTopologies, noCounts } from './topologies/run.ts'
import { runInWeir } from './topologies/weir-side.ts'

test('500 random topologies give what they give in Kafka Streams', async (t) => {
  const { seed } = new Random()
  const counts = noCounts()
  await compareTopologies(500, seed, counts)
  const unused = Object.entries(counts.operators).filter(([, uses]) => uses === 0)
  assert.deepEqual(unused, [], `seed ${seed}: operators that no topology has`)
  t.diagnostic(`seed ${seed}: ${counts.records} records, ${counts.refused} topologies refused`)
})

/** Each record waits in five topics at the same time, which random topologies hardly ever have. */
test('records of the same timestamp go through several topics in the order that they have in Kafka Streams', async () => {
  const steps: Step[] = []
  const add = (op: string, inputs: number[], n = 0, topic = ''): number =>
    steps.push({ op, in: inputs, n, type: 'text', store: 'none', storeName: '', topic }) - 1
  const source = add('stream', [], 0, 'a')
  const branches = Array.from({ length: 5 }, (_, n) => add('repartition', [add('mapValues', [source], n)]))
  const merged = branches.reduce((left, right) => add('merge', [left, right]))
  add('to', [merged], 0, 'out')
  const events = Array.from({ length: 8 }, (_, index) => ({
    topic: 'a',
    key: 'k',
    value: `v${index}`,
    timestamp: 100 - (index % 3),
    headers: [],
  }))
  const description: Description = { caching: false, optimized: false, startMs: 0, steps, events }
  await using java = await JavaSide.start()
  const weir = await runInWeir(description, 1 << 20)
  assert.equal(weir.rounds?.[0]?.out?.length, 5)
  assertSame(description, weir, await java.run(description))
})
