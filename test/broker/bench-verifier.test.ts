import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { compilePeers, runJavaHelper } from '../../bench/harness/java.ts'
import { startKafka } from '../services/kafka.ts'
import { createTopic, produceAll, readAll } from '../services/kafka-client.ts'

interface Verification {
  records: number
  keys: number
  outputRecords: number
  wrongKeys: number
  fallingCounts: number
}

before(compilePeers)

test('the verifier of the count bench accepts true counts only, and the loader loads what it was told', async () => {
  await using kafka = await startKafka()
  const bootstrap = kafka.bootstrapServers
  await createTopic(bootstrap, 'input', 2)
  await runJavaHelper('LoadTopic', {
    bootstrap,
    input: 'input',
    records: 2_000,
    keys: 50,
    valueBytes: 100,
    seed: 7,
  })
  const input = await readAll(bootstrap, 'input')
  assert.equal(input.length, 2_000)
  assert.ok(
    input.every(({ key, value }) => /^user-00000000[0-4]\d$/.test(String(key)) && value?.length === 100),
  )

  const counts = new Map<string, number>()
  const outputs = input.map(({ key }) => {
    const name = String(key)
    const count = (counts.get(name) ?? 0) + 1
    counts.set(name, count)
    return { key: name, value: int64(count) }
  })
  const verify = async (topic: string, records: typeof outputs): Promise<Verification> => {
    await createTopic(bootstrap, topic, 2)
    await produceAll(bootstrap, topic, records)
    return runJavaHelper<Verification>('VerifyCounts', { bootstrap, input: 'input', output: topic })
  }

  const { records, keys, outputRecords, wrongKeys, fallingCounts } = await verify('right', outputs)
  assert.deepEqual(
    [records, keys, outputRecords, wrongKeys, fallingCounts],
    [2_000, counts.size, 2_000, 0, 0],
  )
  // As a cache would put them out: only each key's last.
  const latest = [...counts].map(([key, count]) => ({ key, value: int64(count) }))
  assert.equal((await verify('latest', latest)).wrongKeys, 0)

  const [first = { key: '', value: int64(0) }, ...others] = latest
  assert.equal((await verify('missing-key', others)).wrongKeys, 1)
  assert.equal((await verify('unknown-key', [...latest, { key: 'nobody', value: int64(1) }])).wrongKeys, 1)
  assert.equal(
    (await verify('one-too-many', [...latest, { key: first.key, value: int64(9_999) }])).wrongKeys,
    1,
  )
  const doubled = await verify('doubled', [...latest, first])
  assert.deepEqual([doubled.wrongKeys, doubled.fallingCounts], [0, 1])
})

function int64(value: number): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeBigInt64BE(BigInt(value))
  return buffer
}
