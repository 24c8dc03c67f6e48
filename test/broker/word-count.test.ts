import assert from 'node:assert/strict'
import { test } from 'node:test'

import { produceAll, waitUntilConsumed } from '../../examples/support/kafka.ts'
import { load } from '../../examples/word-count/load.ts'
import { readCounts } from '../../examples/word-count/show.ts'
import { startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { WeirProcess } from '../support/weir-process.ts'

const text = `Call me Ishmael. Some years ago, never mind how long precisely, having little or no money in my purse, and nothing
particular to interest me on shore, I thought I would sail about a little and see the watery part of the world.`

for (const [module, topics] of [
  ['word-count', ['lines', 'word-count-word-counts-repartition']],
  ['word-count-processor', ['lines', 'words']],
] as const) {
  test(`examples/word-count/${module}.ts counts the words`, async () => {
    await using kafka = await startKafka()
    const { bootstrapServers } = kafka
    await load(bootstrapServers)
    const lines = Array.from({ length: 500 }, () => text)
    await produceAll(
      bootstrapServers,
      lines.map((value) => ({ topic: 'lines', key: null, value, timestamp: 1 })),
    )
    await using worker = await WeirProcess.start({
      module: `examples/word-count/${module}.ts`,
      applicationId: 'word-count',
      bootstrapServers,
      stateDir: makeScratchDir('word-count'),
      env: { WEIR_NUM_STREAM_THREADS: '1', WEIR_COMMIT_INTERVAL_MS: '200' },
    })
    await worker.ready()
    await worker.whileRunning(
      waitUntilConsumed(bootstrapServers, 'word-count', topics, { timeoutMs: 60_000 }),
    )
    await worker.stop()
    const counts = await readCounts(bootstrapServers)
    const figures = ['a', 'little', 'ishmael', 'the', 'stream', 'table', 'Call'].map((word) =>
      counts.get(word),
    )
    // From the text: a 1, little 2, ishmael 1, the 2. From the example's lines: a 2, the 4, stream 3, table
    // 3.
    assert.deepEqual(figures, [502, 1_000, 500, 1_004, 3, 3, undefined])
  })
}
