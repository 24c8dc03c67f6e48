import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { compilePeers, runJavaHelper } from '../../bench/harness/java.ts'
import { type KafkaService, startKafka } from '../services/kafka.ts'
import { createTopic, produceAll, readAll } from '../services/kafka-client.ts'

interface Verification {
  records: number
  keys: number
  outputRecords: number
  wrongKeys: number
  fallingCounts: number
}

let kafka: KafkaService
before(async () => {
  // Of all that is started here: none runs for long enough for code that is fully optimised.
  process.env.JAVA_TOOL_OPTIONS = '-XX:TieredStopAtLevel=1'
  ;[kafka] = await Promise.all([startKafka(), compilePeers()])
})
after(() => kafka.stop())

test('the verifier of the count bench accepts true counts only, and the loader loads what it was told', async () => {
  const bootstrap = kafka.bootstrapServers
  const topic = 'counted'
  await createTopic(bootstrap, topic, 2)
  await runJavaHelper('LoadTopic', {
    bootstrap,
    input: topic,
    records: 2_000,
    keys: 50,
    valueBytes: 100,
    seed: 7,
  })
  const input = await readAll(bootstrap, topic)
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
  const verify = async (output: string, records: typeof outputs): Promise<Verification> => {
    await createTopic(bootstrap, output, 2)
    await produceAll(bootstrap, output, records)
    return runJavaHelper<Verification>('VerifyCounts', { bootstrap, input: topic, output })
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

test('the verifier of the range join accepts the true join only', async () => {
  const bootstrap = kafka.bootstrapServers
  const topics = { rows: 'rows', input: 'input' }
  for (const topic of Object.values(topics)) await createTopic(bootstrap, topic, 2)
  const sizes = { records: 300, keys: 5, rowsPerKey: 60, neighbours: 10, valueBytes: 20 }
  await runJavaHelper('LoadJoin', { bootstrap, ...topics, ...sizes, seed: 7 })
  const rows = await readAll(bootstrap, 'rows')
  const input = await readAll(bootstrap, 'input')
  assert.deepEqual([rows.length, input.length], [300, 300])
  assert.ok(rows.every((row) => input.every((record) => row.timestamp < record.timestamp)))

  let joined = 0
  const outputs = input.map(({ key, value, partition }) => {
    const [from, to] = [value!.readInt32BE(0), value!.readInt32BE(4)]
    const times = rows.filter((row) => key!.equals(row.key!)).map((row) => row.value!)
    const neighbours = times.filter((row) => row.readInt32BE(0) >= from && row.readInt32BE(0) <= to)
    joined += neighbours.length
    const sum = neighbours.reduce((total, row) => total + row.readInt32BE(4), 0)
    return { key, value: `${neighbours.length} ${sum}`, partition }
  })
  assert.ok(Math.abs(joined / input.length - 10) < 1)
  const verify = async (output: string, records: typeof outputs) => {
    await createTopic(bootstrap, `join-${output}`, 2)
    await produceAll(bootstrap, `join-${output}`, records)
    return runJavaHelper<{ isRight: boolean; wrongRecords: number }>('VerifyJoin', {
      bootstrap,
      ...topics,
      output: `join-${output}`,
    })
  }
  assert.equal((await verify('right', outputs)).isRight, true)
  const wrong = outputs.with(17, { ...outputs[17]!, value: '10 1' })
  assert.deepEqual(await wrongOf(verify('wrong', wrong)), [false, 1])
  assert.deepEqual(await wrongOf(verify('missing', outputs.slice(0, -1))), [false, 1])
  assert.deepEqual(await wrongOf(verify('doubled', [...outputs, outputs.at(-1)!])), [false, 1])

  async function wrongOf(verified: ReturnType<typeof verify>): Promise<[boolean, number]> {
    const { isRight, wrongRecords } = await verified
    return [isRight, wrongRecords]
  }
})

function int64(value: number): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeBigInt64BE(BigInt(value))
  return buffer
}
