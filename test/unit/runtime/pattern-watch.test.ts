import assert from 'node:assert/strict'
import { describe, mock, test } from 'node:test'

import type { WeirError } from '../../../src/errors/weir-error.ts'
import { PatternWatch } from '../../../src/runtime/pattern-watch.ts'
import { serdes } from '../../../src/serde/serdes.ts'
import { Topology } from '../../../src/topology/topology.ts'

const text = { key: serdes.string, value: serdes.string }
const topology = new Topology()
  .addSource('one', { topics: /in-.*/, ...text })
  .addSource('two', { topics: /.*-x/, ...text })
  .build()

/** Whatever a look does is done. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
}

/** A cluster whose topics change, and what the watch tells of it. */
function watched(start: readonly string[]) {
  const world = {
    topics: [...start],
    error: null as Error | null,
    told: 0,
    failures: [] as WeirError[],
    followed: null as readonly string[] | null,
    signal: null as AbortSignal | null,
  }
  const nothing = (): void => {}
  const watch = new PatternWatch({
    topology,
    applicationId: 'app',
    matched: start.filter((name) => name.startsWith('in-') || name.endsWith('-x')),
    admin: {
      listTopics: async () => {
        if (world.error !== null) throw world.error
        return world.topics.map((name) => ({ name }))
      },
    },
    intervalMs: 1_000_000,
    logger: { debug: nothing, info: nothing, warn: nothing, error: nothing } as never,
    onChanged: async (signal) => {
      world.told++
      world.signal = signal
      if (world.followed === null) throw Object.assign(new Error('gone'), { code: 'source-topic-missing' })
      return world.followed
    },
    onFailed: (error) => world.failures.push(error),
  })
  const look = async (): Promise<number> => {
    const before = world.told
    watch.checkSoon()
    // Twice at once is once.
    watch.checkSoon()
    await settled()
    return world.told - before
  }
  return { world, watch, look }
}

describe('PatternWatch', () => {
  test('tells of topics that come and go, until they are followed', async () => {
    const { world, watch, look } = watched(['in-1', 'other'])
    assert.equal(await look(), 0)
    world.topics.push('another', '__consumer_offsets')
    assert.equal(await look(), 0, 'none of ours')
    world.topics.push('in-2')
    assert.equal(await look(), 1)
    assert.equal(await look(), 1, 'it could not be followed, and is told again')
    world.followed = ['in-1', 'in-2']
    assert.equal(await look(), 1)
    assert.equal(await look(), 0)
    world.topics = ['in-2']
    world.followed = ['in-2']
    assert.equal(await look(), 1)
    assert.equal(await look(), 0)
    await watch.stop()
    world.topics = []
    assert.equal(await look(), 0)
    assert.deepEqual(world.failures, [])
  })

  test('what could not be followed is looked at again soon, until it ends', async () => {
    mock.timers.enable({ apis: ['setTimeout'] })
    try {
      const { world, watch, look } = watched([])
      world.topics.push('in-1')
      assert.equal(await look(), 1)
      mock.timers.tick(1_000)
      await settled()
      assert.equal(world.told, 2)
      assert.equal(world.signal!.aborted, false)
      await watch.stop()
      assert.equal(world.signal!.aborted, true, 'what goes on is to end')
      mock.timers.tick(10_000)
      await settled()
      assert.equal(world.told, 2)
      assert.deepEqual(world.failures, [])
    } finally {
      mock.timers.reset()
    }
  })

  test('brokers that do not answer are asked again; a topic of two sources fails', async () => {
    const { world, watch, look } = watched(['in-1'])
    world.error = Object.assign(new Error('away'), { code: 'kafka:_TRANSPORT', retriable: true })
    assert.equal(await look(), 0)
    assert.deepEqual(world.failures, [])
    world.error = null
    world.topics.push('in-x')
    assert.equal(await look(), 0)
    assert.deepEqual(
      world.failures.map(({ code }) => code),
      ['topology-invalid'],
    )
    await watch.stop()
  })
})
