import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'

import { createTopics, produceAll, readToEnd } from '../../examples/support/kafka.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { makeScratchDir } from '../services/scratch-dir.ts'
import { produceInTransaction } from '../support/transaction.ts'
import { runScript, WeirProcess } from '../support/weir-process.ts'

// Each has topics of its own, and waits for most of its time.
describe('traps', { concurrency: 3 }, () => {
  let kafka: KafkaService
  const scratch = makeScratchDir('traps')
  before(async () => {
    kafka = await startKafka()
  })
  after(() => kafka.stop())

  async function run(trap: string): Promise<unknown> {
    const { code, stdout, stderr } = await runScript('test/support/consumer-traps.ts', [
      trap,
      kafka.bootstrapServers,
    ])
    assert.equal(code, 0, stderr)
    return JSON.parse(stdout.trim().split('\n').at(-1)!)
  }

  test('a partition paused after its end loses nothing', async () => {
    assert.deepEqual(await run('paused-after-end'), { rounds: 12, wrong: [] })
  })

  test('a partition that leaves and returns is read on', async () => {
    assert.deepEqual(await run('leaves-and-returns'), { rounds: 3, wrong: [] })
  })

  test('a full partition does not starve another', async () => {
    assert.deepEqual(await run('full-partition'), { flowed: 20_000, full: true })
  })

  test('an input that ends with the marker of a transaction does not hold up another', async () => {
    const { bootstrapServers } = kafka
    await createTopics(bootstrapServers, { left: 1, right: 1, both: 1 })
    await produceInTransaction(bootstrapServers, 'left', ['a', 'b'], 1_000)
    await produceAll(
      bootstrapServers,
      ['c', 'd', 'e'].map((value) => ({ topic: 'right', key: 'k', value, timestamp: 2_000 })),
    )
    await using worker = await WeirProcess.start({
      module: 'test/support/topologies/two-inputs.ts',
      applicationId: 'two-inputs',
      bootstrapServers,
      stateDir: join(scratch, 'two-inputs'),
    })
    const values = async (): Promise<string> =>
      (await readToEnd(bootstrapServers, 'both')).map(({ value }) => value!.toString()).join('')
    await worker.until(async () => (await values()).length === 5, 'holds records back')
    assert.equal(await values(), 'abcde')
    assert.equal(
      (await worker.metrics()).get('weir_consume_lag_records{thread="0",topic="left",partition="0"}'),
      0,
    )
  })

  // Each topic holds good values around one that ends too early or too late for its serde. Whatever follows
  // in memory must not be read.
  for (const [serde, good, bad] of [
    ['int32', Buffer.of(0, 0, 0, 1), Buffer.of(0, 0, 1)],
    ['int64', Buffer.of(0, 0, 0, 0, 0, 0, 0, 1), Buffer.of(0, 0, 0, 0, 0, 0, 0, 1, 2)],
    ['float64', Buffer.alloc(8), Buffer.alloc(7)],
    ['json', Buffer.from('{"a":1}'), Buffer.from('{"a":1')],
    ['custom', Buffer.from([3, 97, 98, 99]), Buffer.from([9, 97, 98, 99])],
  ] as const) {
    test(`a truncated value of serde ${serde} does not read into the next record`, async () => {
      const topic = `truncated-${serde}`
      await createTopics(kafka.bootstrapServers, { [topic]: 1, [`${topic}-out`]: 1 })
      const values = [good, good, good, bad, good, good]
      await produceAll(
        kafka.bootstrapServers,
        values.map((value) => ({ topic, key: 'k', value, timestamp: 1 })),
      )
      await using worker = await WeirProcess.start({
        module: 'test/support/topologies/pass-values.ts',
        applicationId: topic,
        bootstrapServers: kafka.bootstrapServers,
        stateDir: join(scratch, topic),
        env: { PASS_TOPIC: topic, PASS_SERDE: serde },
      })
      const { code } = await worker.exited
      assert.equal(code, 1, worker.output)
      assert.match(worker.output, new RegExp(`${topic} partition 0 offset 3: .*`))
    })
  }
})
